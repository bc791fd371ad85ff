"""What every test of this tree shares."""

from hypothesis import settings

# The same examples each time; `nox -s soak` looks for new ones.
settings.register_profile("steady", derandomize=True, deadline=None, database=None)
settings.register_profile("soak", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("steady")

# What computekit uses of keystonemiddleware, which has no types.

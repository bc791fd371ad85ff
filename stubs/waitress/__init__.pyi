# What computekit uses of waitress 3, which has no types of its own.

"""Settings of all tests."""

from hypothesis import settings

# The first fit of a process loads much of torch, which no deadline allows for.
settings.register_profile("sklearn_lai", deadline=None)
settings.load_profile("sklearn_lai")

"""Help for the tests of plugins and of programs that use mjsdk."""

from mjsdk.testing.dists import fake_dist

__all__ = ["fake_dist"]

"""One more reward, for tests."""

from mjsdk.hookspecs import hookimpl

MJSDK_API = 1


def jump(env, height: float = 0.5):
    """How high the robot jumps.

    Args:
        height: Height that counts in full [m]. Recommended: 0.1..1. Start low.
    """


@hookimpl
def mjsdk_reward_terms():
    return {"jump": jump}

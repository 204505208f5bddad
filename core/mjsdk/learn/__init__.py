"""Learning: rsl_rl's PPO on mjsdk's environments, and what a training leaves behind.

Import from its modules: rsl_rl takes seconds to import, and not all of them need it.
"""

"""Learning: rsl_rl's PPO on mjsdk's environments, and what a training leaves behind."""

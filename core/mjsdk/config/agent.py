"""Settings of the learner, under the names that rsl_rl uses."""

from __future__ import annotations

import attrs

from mjsdk.config.fields import setting

ACTIVATIONS = (
    "elu",
    "selu",
    "relu",
    "crelu",
    "lrelu",
    "tanh",
    "sigmoid",
    "softplus",
    "gelu",
    "swish",
    "mish",
    "identity",
)
"""Names of rsl_rl.utils.resolve_nn_activation in rsl-rl-lib 5.5."""


@attrs.define(kw_only=True)
class NetworkConfig:
    """A network of actor or critic."""

    class_name: str = setting(
        "mlp",
        "Kind of network.",
        choices=("mlp", "lstm", "gru"),
        advice="mlp learns fastest. lstm and gru remember: try them when the observation hides what matters, and expect "
        "several times the learning time.",
    )
    hidden_dims: list[int] = setting(
        factory=lambda: [256, 128, 64],
        meaning="Widths of the hidden layers.",
        recommended=(16, 1024),
        exclusive_min=0,
        bounds=(None, 65536),
        length=(0, 32),
        advice="On few CPU cores 128, 128, 128 learns about three times as many samples per second as 512, 256, 128.",
    )
    activation: str = setting(
        "elu", "Activation between layers.", choices=ACTIVATIONS, advice="elu suits locomotion; rarely worth tuning."
    )
    obs_normalization: bool = setting(
        True,
        "Normalise observations by their running mean and standard deviation.",
        advice="Leave on, unless all observations are already of size one. The statistics leave with the policy.",
    )
    rnn_hidden_dim: int = setting(
        256,
        "Size of the recurrent state (lstm, gru).",
        recommended=(32, 1024),
        exclusive_min=0,
        bounds=(None, 65536),
        advice="128 to 256 suffices for legged robots.",
    )
    rnn_num_layers: int = setting(
        1, "Recurrent layers (lstm, gru).", recommended=(1, 3), bounds=(1, 64), advice="One is nearly always enough."
    )


@attrs.define(kw_only=True)
class ActorConfig(NetworkConfig):
    """The policy: from what a robot can measure to actions."""

    init_noise_std: float = setting(
        1.0,
        "Standard deviation of the actions before training, in units of the action.",
        recommended=(0.1, 2.0),
        exclusive_min=0.0,
        advice="Smaller explores less and falls less at first: 0.5 suits position targets scaled to the motors.",
    )
    noise_std_type: str = setting(
        "scalar",
        "How the standard deviation is parametrised.",
        choices=("scalar", "log"),
        advice="log cannot become negative and adapts faster; choose it if the noise collapses or explodes.",
    )
    noise_std_range: list[float] = setting(
        factory=lambda: [0.02, 10.0],
        meaning="Bounds of the standard deviation, smallest and largest.",
        exclusive_min=0.0,
        advice="The lower bound keeps training alive when the noise would vanish (a known crash of PPO).",
    )


@attrs.define(kw_only=True)
class CriticConfig(NetworkConfig):
    """The value estimate: may see what a robot cannot measure; it stays behind after training."""


@attrs.define(kw_only=True)
class PPOConfig:
    """Proximal policy optimisation (Schulman et al. 2017), as rsl_rl implements it."""

    num_learning_epochs: int = setting(
        5,
        "Passes over each rollout.",
        recommended=(1, 10),
        exclusive_min=0,
        bounds=(None, 10_000),
        advice="More learns more per sample and costs time; past 8 the policy overfits the rollout.",
    )
    num_mini_batches: int = setting(
        4,
        "Parts that each rollout is split into per pass.",
        recommended=(1, 64),
        exclusive_min=0,
        bounds=(None, 1_000_000),
        advice="Keep the mini-batch (num_envs x num_steps_per_env / num_mini_batches) between 1,000 and 50,000 samples.",
    )
    learning_rate: float = setting(
        1e-3,
        "Step size of Adam; with the adaptive schedule, where it starts.",
        recommended=(1e-5, 5e-3),
        exclusive_min=0.0,
        bounds=(None, 10.0),
        advice="Halve it when reward rises and then collapses; with schedule=fixed 3e-4 to 1e-3.",
    )
    schedule: str = setting(
        "adaptive",
        "How the learning rate changes.",
        choices=("adaptive", "fixed"),
        advice="adaptive follows desired_kl. fixed is safer when few worlds make the estimate of the divergence noisy.",
    )
    gamma: float = setting(
        0.99,
        "Discount per step.",
        recommended=(0.9, 0.999),
        bounds=(0.0, 1.0),
        advice="The horizon is about 1/(1 - gamma) steps: 0.99 at 50 Hz looks 2 s ahead.",
    )
    lam: float = setting(
        0.95,
        "Lambda of generalised advantage estimation.",
        recommended=(0.8, 1.0),
        bounds=(0.0, 1.0),
        advice="Lower trusts the critic more: less noise, more bias.",
    )
    entropy_coef: float = setting(
        0.01,
        "Weight of the entropy bonus.",
        recommended=(0.0, 0.05),
        bounds=(0.0, None),
        advice="Raise it when the policy stops exploring too early, lower it when the action noise does not shrink.",
    )
    desired_kl: float = setting(
        0.01,
        "Divergence per update that the adaptive schedule aims at.",
        recommended=(0.002, 0.05),
        exclusive_min=0.0,
        advice="Lower is slower and steadier.",
    )
    max_grad_norm: float = setting(
        1.0,
        "Largest norm of the gradient; actor and critic are clipped apart.",
        recommended=(0.1, 10.0),
        exclusive_min=0.0,
        advice="Rarely worth tuning; 0.5 when losses spike.",
    )
    value_loss_coef: float = setting(
        1.0,
        "Weight of the critic's loss.",
        recommended=(0.1, 5.0),
        bounds=(0.0, None),
        advice="Only matters where actor and critic share layers; they do not here.",
    )
    use_clipped_value_loss: bool = setting(
        True,
        "Clip the change of the value estimate like the policy's.",
        advice="Leave on, unless returns are much larger than 1.",
    )
    clip_param: float = setting(
        0.2,
        "Largest change of the action's probability ratio per update.",
        recommended=(0.1, 0.3),
        exclusive_min=0.0,
        advice="0.1 is steadier, 0.3 faster.",
    )
    normalize_advantage_per_mini_batch: bool = setting(
        False, "Normalise advantages per mini-batch instead of per rollout.", advice="Try it with very uneven rewards."
    )


@attrs.define(kw_only=True)
class AgentConfig:
    """The learner and its schedule."""

    seed: int = setting(
        1, "Seed of all random numbers.", bounds=(0, 2**31 - 1), advice="Report results over at least three seeds."
    )
    num_steps_per_env: int = setting(
        24,
        "Steps of each world per iteration.",
        recommended=(8, 128),
        exclusive_min=0,
        bounds=(None, 10_000),
        advice="24 suits 50 Hz control; longer rollouts when rewards come late.",
    )
    max_iterations: int = setting(
        1500,
        "Iterations of the whole training.",
        recommended=(1, 100_000),
        exclusive_min=0,
        bounds=(None, 10**9),
        advice="Walking on flat ground needs some hundreds; --minutes alone trains by the clock instead.",
    )
    save_interval: int = setting(
        50,
        "Iterations between checkpoints.",
        recommended=(1, 1000),
        exclusive_min=0,
        bounds=(None, 10**9),
        advice="A checkpoint also comes at the end, on Ctrl-C and when --minutes are over.",
    )
    averaging: float = setting(
        0.1,
        "The policy that is played, evaluated and exported is the mean over this share of the training so far.",
        bounds=(0.0, 0.5),
        recommended=(0.0, 0.2),
        advice="The last weights alone (0) are better or worse by chance. More lags behind a policy that still improves.",
    )
    experiment_name: str = setting(
        "",
        "Folder of this family of runs below log_root; empty for <robot>_<task>.",
        advice="Keep runs that you compare in one experiment.",
    )
    run_name: str = setting(
        "", "Suffix of the run's folder, after the time.", advice="Say what is different about this run."
    )
    logger: str = setting(
        "tensorboard",
        "Where curves go besides metrics.jsonl.",
        choices=("tensorboard", "wandb", "none"),
        advice="wandb needs `pip install 'mjsdk[wandb]'`.",
    )
    wandb_project: str = setting("mjsdk", "Project at Weights & Biases (logger=wandb).")
    resume: bool = setting(
        False,
        "Resume from an earlier run's checkpoint.",
        advice="`--resume` takes the newest run of this experiment unless load_run says otherwise.",
    )
    load_run: str = setting(
        ".*",
        "Regular expression over names of run folders; the newest match is resumed.",
        advice="Give the full folder name to be certain.",
    )
    load_checkpoint: str = setting(
        r"model_\d+\.pt", "Regular expression over names of checkpoints; the highest iteration that matches is loaded."
    )
    clip_actions: float | None = setting(
        None,
        "Largest magnitude of a raw action; none for no bound.",
        recommended=(1.0, 100.0),
        exclusive_min=0.0,
        advice="Bounds the damage of a wild policy; 10 never hinders a good one.",
    )
    actor: ActorConfig = setting(factory=ActorConfig, meaning="The policy network.")
    critic: CriticConfig = setting(factory=CriticConfig, meaning="The value network.")
    algorithm: PPOConfig = setting(factory=PPOConfig, meaning="PPO: how the networks learn from each rollout.")

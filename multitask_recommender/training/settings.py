"""Settings of the training loop."""

from typing import Annotated, Any, Literal

from pydantic import Field

from multitask_recommender import settings

_OF_A_SUM = 0.1  # where Adagrad's sums of squares begin in Keras and TFRS, whose losses are sums


class Settings(settings.Settings):
    epochs: int = Field(30, gt=0, le=10**6, description="Passes over the data, at the most.")
    batch_size: int = Field(
        4096,
        gt=0,
        le=2**24,
        description="Rows of a step, of all devices together: each has batch_size / devices.",
    )
    batch_by: Literal["row", "user"] | Annotated[int, Field(gt=1)] = Field(
        "row",
        description="What comes into a batch of about batch_size rows together, so that what "
        "depends on the user alone (a softmax over all items, most of all) is computed once for "
        "it. user: all rows of a user; a number: so many of them at the most, in their order. "
        "Users then learn in more and smaller steps. Models that read sessions batch whole "
        "histories, whichever it is.",
    )
    learning_rate: float = Field(0.1, gt=0, description="Of the first step.")
    learning_rate_decay: Literal["none", "cosine"] = Field(
        "none", description="cosine: falls to 0 over the epochs."
    )
    optimizer: Literal["adagrad", "rowwise_adagrad", "adam", "lazy_adam"] = Field(
        "adagrad",
        description="The cost of a step of adam grows with the embedding tables. rowwise_adagrad "
        "keeps one number for each of their rows, where adagrad keeps one for each of their "
        "numbers, and lazy_adam two.",
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        description="Of the matrix products of a step; all else, and whatever is evaluated or "
        "exported, is float32. bfloat16 is faster where the processor multiplies it; float16 is "
        "for GPUs: losses are scaled, and a step whose gradients overflow is left out.",
    )
    initial_accumulator: float | None = Field(
        None,
        ge=0,
        description="Where the sums of squared gradients of adagrad and rowwise_adagrad begin. "
        "null: 0.1 / batch_size^2. Losses are means over a batch, so squares are that much smaller "
        "than those of a sum, for which 0.1 is the custom; beside 0.1 they would count nothing.",
    )
    clip_norm: float | None = Field(
        None,
        gt=0,
        description="The most that the gradient of all weights together may be long in a step: "
        "else it is shortened to that. Embedding rows that a batch did not use take no part.",
    )
    seed: int = Field(42, ge=0, lt=2**31, description="Of weights, order, dropout, negatives.")
    strategy: Literal["auto", "none", "mirrored", "multi_worker", "parameter_server"] = Field(
        "auto",
        description="auto: the GPU where there is one, mirrored where there are more; none: the "
        "CPU; mirrored: all GPUs of this machine; multi_worker: the processes that TF_CONFIG "
        "names, each of which is given the same command. What is learnt is the same, but for "
        "rounding. parameter_server: such processes too, of which servers (ps) hold the tables in "
        "shards, and each worker learns batch_size rows a step without waiting for the others.",
    )
    replicas: int | None = Field(
        None,
        gt=0,
        le=64,
        description="Devices of strategy mirrored; null: all GPUs. Without a GPU, in how many "
        "parts the CPU is divided, which tries out what several devices do and is no faster.",
    )
    learning_rate_scaling: Literal["none", "linear", "sqrt"] = Field(
        "none",
        description="By the number of devices, or its root. batch_size is that of all of them, so "
        "that more devices ask for no other learning rate: none.",
    )
    patience: int | None = Field(
        None,
        gt=0,
        description="Validations without a better one before training stops; the best epoch is "
        "then the chosen one. null: all epochs are trained and the last is chosen, as a learning "
        "rate that decays wants it.",
    )
    monitor: str = Field(
        "auto",
        description="The validation metric for patience: loss (the weighted sum of the tasks' "
        "losses), full/ndcg@20, rating/root_mean_squared_error, ... auto: full/ndcg@20 (or that at "
        "the nearest cut-off) where items are ranked, else loss.",
    )
    validate_every: int = Field(1, gt=0, description="Epochs between two validations.")
    refit: bool = Field(
        True,
        description="Train once more, on train and validation together, for the chosen epochs.",
    )
    task_gradients: Literal["auto", "always", "never"] = Field(
        "auto",
        description="After each epoch, on one batch: the norms of the tasks' gradients at what "
        "they share, and the cosines between them. It costs about one step an epoch, and a second "
        "to begin with; auto: where an epoch has at least 100 steps.",
    )
    warm_start: str | None = Field(
        None,
        min_length=1,
        description="The folder of a finished run whose weights training begins with, of other "
        "data: rows of users, items and words that both know stay as they are.",
    )
    checkpoint_seconds: float = Field(30.0, ge=0, description="Seconds between checkpoints.")

    @property
    def first_accumulator(self) -> float:
        """`initial_accumulator`, with what null means."""
        if self.initial_accumulator is not None:
            return self.initial_accumulator
        return _OF_A_SUM / self.batch_size**2

    def conflicts(self, config: Any) -> list[str]:
        if self.strategy != "parameter_server" or self.precision != "float16":
            return []
        return [
            "training.precision float16 is not for training.strategy parameter_server: whose step "
            "is left out, and what losses are scaled by, would depend on who comes first. Use "
            "bfloat16."
        ]

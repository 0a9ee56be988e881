"""The words that all parts share: feature names, the padding id, and the letters of shapes.

Shapes are written beside the tensors with these letters:

    B  rows of a batch          N  rows of Interactions
    U  users, I  items          R  rows of a user or item table
    Q  queries to be scored     K  cut-off of a ranking
    D  embedding dimension      P  width of the pair that heads read
    T  length of a history      S  histories that rows share
    M  values of a multi-valued feature
"""

PAD = 0  # the id of padding and of everything unknown; real ids begin at 1

# The lowest float32 there is: the score of what cannot be answered. A number, unlike what is below
# all numbers, so that JSON has it.
NO_SCORE = -(2.0 - 2.0**-23) * 2.0**127

USER_ID = "user_id"
ITEM_ID = "item_id"
TIMESTAMP = "timestamp"
HISTORY = "history"  # item ids [B, T] of the user's latest positives, oldest first, 0-padded
# Where rows share histories, [S, T]: which of them is a row's, and how many of its items come
# before the row, [B] each. Without these two every row has its own history, and all of it.
HISTORY_ROW, HISTORY_LENGTH = "history_row", "history_length"
# Item ids [B, M], or [S, M] where rows share histories, in any order and 0-padded: those that a
# query tells of its user. A row of any counts instead of what training tells.
TOLD_HISTORY = "told_history"
# And features of the user that it tells, by this and their name: values as in the user table, 0 or
# NaN for those that it does not tell.
TOLD_FEATURE = "told_feature/"

TRAIN, VALIDATION, TEST = "train", "validation", "test"
PARTS = (TRAIN, VALIDATION, TEST)
# Events that tell of held-out users: neither learnt from nor to be found (strong generalisation:
# Liang et al., WWW 2018). The refit learns those of validation users.
FOLD_IN = "fold_in"
ALL_PARTS = (*PARTS, FOLD_IN)

TOTAL_LOSS = "loss"  # what the weighted sum of the tasks' losses is called, in logs and in Keras


# What no label and no context feature may be called: in a batch or a log it means something else.
RESERVED = (
    USER_ID,
    ITEM_ID,
    TIMESTAMP,
    HISTORY,
    HISTORY_ROW,
    HISTORY_LENGTH,
    TOLD_HISTORY,
    "step_seed",
    "retrieval",
    TOTAL_LOSS,
)


def observed_key(label: str) -> str:
    """The name of the mask that goes with a label in a batch."""
    return f"{label}/observed"

"""A model of RecBole: `python recbole_models.py FOLDER EPOCHS BPR|LightGCN|NGCF|GRU4Rec|SRGNN`.

FOLDER/ml100k holds the rows in RecBole's form: parts, or for sessions all rows in order. Settings
are its defaults but for batches of 2,048, 64 numbers a vector, three propagations of LightGCN and
histories of 30; the learning rate may be given as a fourth argument.
"""

import sys
import tempfile
import warnings

import numpy as np
import torch
from curve import Curve, read
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

warnings.filterwarnings("ignore")
SESSIONS = ("GRU4Rec", "SRGNN")


def configured(folder: str, name: str, epochs: int, learning_rate: float) -> Config:
    settings = {
        "data_path": folder,
        "epochs": epochs,
        "train_batch_size": 2048,
        "embedding_size": 64,
        "learning_rate": learning_rate,
        "metrics": ["NDCG"],
        "topk": [10],
        "valid_metric": "NDCG@10",
        "use_gpu": False,
        "show_progress": False,
        "checkpoint_dir": tempfile.mkdtemp(),
        "state": "ERROR",
    }
    if name in SESSIONS:
        settings |= {
            "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
            "MAX_ITEM_LIST_LENGTH": 30,
            "loss_type": "CE",
            "train_neg_sample_args": None,
            "eval_args": {
                "split": {"LS": "valid_and_test"},
                "group_by": "user",
                "order": "TO",
                "mode": "full",
            },
        }
    else:
        settings |= {
            "load_col": {"inter": ["user_id", "item_id"]},
            "benchmark_filename": ["train", "valid", "test"],
            "eval_args": {"group_by": "user", "order": "RO", "mode": "full"},
        }
    if name == "LightGCN":
        settings["n_layers"] = 3
    return Config(model=name, dataset="ml100k", config_dict=settings)


class Vectors:
    """Those of a model, by our ids."""

    def __init__(self, model, name: str, dataset, valid, train: dict[str, np.ndarray]) -> None:
        self._model, self._name, self._valid = model, name, valid
        self._shape = int(train["num_users"]) + 1, int(train["num_items"]) + 1
        self._own_users, self._own_items = (
            np.array([int(token) for token in dataset.field2id_token[field][1:]])
            for field in ("user_id", "item_id")
        )  # ours, by theirs less one

    @torch.no_grad()
    def __call__(self) -> tuple[np.ndarray, np.ndarray]:
        self._model.eval()
        if self._name in SESSIONS:
            users, items = self._states(), self._model.item_embedding.weight
        elif self._name == "BPR":
            users, items = self._model.user_embedding.weight, self._model.item_embedding.weight
        else:
            users, items = self._model.forward()
        self._model.train()
        found = []
        for table, own, size in zip(
            (users, items), (self._own_users, self._own_items), self._shape, strict=True
        ):
            values = np.zeros((size, table.shape[1]), np.float32)
            values[own] = table[1 : 1 + len(own)].numpy()
            found.append(values)
        return found[0], found[1][1:]

    def _states(self) -> torch.Tensor:
        """After all that validation is told of each user: what came before its row."""
        states = torch.zeros(len(self._own_users) + 1, self._model.embedding_size)
        for batch in self._valid:
            rows = batch[0]
            lengths = rows[self._model.ITEM_SEQ_LEN]
            states[rows["user_id"]] = self._model.forward(rows[self._model.ITEM_SEQ], lengths)
        return states


def main() -> None:
    folder, epochs, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    learning_rate = float(sys.argv[4]) if len(sys.argv) > 4 else 0.001
    config = configured(folder, name, epochs, learning_rate)
    init_seed(config["seed"], config["reproducibility"])
    dataset = create_dataset(config)
    train, valid, _ = data_preparation(config, dataset)
    model = get_model(name)(config, train._dataset).to(config["device"])
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    vectors = Vectors(model, name, dataset, valid, read(folder))
    curve, one_epoch = Curve(folder), trainer._train_epoch

    def timed(*arguments: object, **options: object) -> object:
        curve.start()
        loss = one_epoch(*arguments, **options)
        curve.stop()
        curve.write(*vectors())
        return loss

    trainer._train_epoch = timed
    trainer.fit(train, None, verbose=False, saved=False, show_progress=False)


if __name__ == "__main__":
    main()

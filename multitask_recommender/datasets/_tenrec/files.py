"""What the files of Tenrec are called and hold: for their reader, and for those made in their form.

Yuan et al., "Tenrec: A Large-scale Multipurpose Benchmark Dataset for Recommender Systems", NeurIPS
2022 Datasets and Benchmarks; the columns as shipped.
"""

from collections.abc import Mapping

NULL = "\\N"  # a missing value, as shipped

HISTORY_COLUMNS = tuple(f"hist_{n}" for n in range(1, 11))  # a user's first ten clicks, 0-padded

_VIDEO = "user_id item_id click follow like share video_category watching_times gender age".split()
_ARTICLE = (
    "user_id item_id click gender age exposure_count click_count like_count comment_count "
    "read_percentage item_score1 item_score2 category_second category_first item_score3 "
    "read read_time share like follow favorite"
).split()
_COLD = [name for name in _ARTICLE if name != "exposure_count"]

# By scenario: the names that its file is known under, and its columns in the order shipped.
FILES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "qk_video": (("QK-video.csv",), tuple(_VIDEO)),
    "qb_video": (("QB-video.csv",), tuple(_VIDEO)),
    "qk_article": (("QK-article.csv",), tuple(_ARTICLE)),
    "qb_article": (("QB-article.csv", "QB-artilce.csv"), tuple(_ARTICLE[:15])),
    "ctr_1m": (("ctr_data_1M.csv",), (*_VIDEO, *HISTORY_COLUMNS)),
    "sbr_1m": (("sbr_data_1M.csv",), tuple(_VIDEO)),
    "cold": (("cold_data.csv",), tuple(_COLD)),
    "cold_1": (("cold_data_1.csv",), tuple(_COLD)),
    "cold_0.3": (("cold_data_0.3.csv",), tuple(_COLD)),
    "cold_0.7": (("cold_data_0.7.csv",), tuple(_COLD)),
    "task_0": (("task_0.csv",), tuple(_VIDEO)),
    "task_1": (
        ("task_1.csv",),
        ("user_id", "item_id", "click", "gender", "age", "read", "share", "like", "follow")
        + ("favorite",),
    ),
    "task_2": (("task_2.csv",), tuple(_VIDEO)),
    "task_3": (("task_3.csv",), ("user_id", "item_id", "click", "gender", "age")),
}

LABELS = ("click", "follow", "like", "share", "read", "favorite")  # each where its file has it
USER_COLUMNS = ("gender", "age")  # 0 means unknown
ITEM_COLUMNS = ("video_category", "category_first", "category_second")
# Counted or measured after the exposure: as inputs they tell the labels.
POST_EXPOSURE_COLUMNS = (
    *("watching_times", "read_percentage", "read_time"),
    *("exposure_count", "click_count", "like_count", "comment_count"),
)
SCORE_COLUMNS = ("item_score1", "item_score2", "item_score3")  # of the item, by the platform

import pydantic
import pytest

from multitask_recommender.evaluation.settings import Settings


@pytest.mark.parametrize("cutoffs", [[5, 1], [1, 1]])
def test_cutoffs_must_ascend(cutoffs):
    with pytest.raises(pydantic.ValidationError, match="must ascend without repetition"):
        Settings(cutoffs=cutoffs)


def test_an_unknown_protocol_is_refused():
    with pytest.raises(pydantic.ValidationError, match="'full', 'unfiltered' or 'sampled'"):
        Settings(protocols=["ful"])

"""Kinds of faults as codes."""

import http

import grpc
import pytest

from multitask_recommender.serving.faults import Fault, Kind, invalid, shown


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_a_code_of_http_and_of_grpc(kind):
    assert 400 <= http.HTTPStatus(kind.http) < 600
    assert grpc.StatusCode[kind.grpc] != grpc.StatusCode.OK


def test_kinds_that_clients_send_again_are_not_those_that_never_pass():
    """A client repeats 429 and 503: a request that is too large must not be either in HTTP."""
    assert {kind.http for kind in (Kind.BUSY, Kind.UNAVAILABLE)} == {429, 503}
    assert {kind.http for kind in (Kind.INVALID, Kind.TOO_LARGE)} == {400, 413}


def test_a_fault_is_its_sentence():
    fault = invalid("k is 0.")

    assert isinstance(fault, Fault)
    assert (fault.kind, fault.sentence, str(fault)) == (Kind.INVALID, "k is 0.", "k is 0.")


def test_long_values_are_cut():
    assert shown("ab") == "'ab'"
    assert shown("a" * 1000, most=5) == "'aaaa..."

import pytest

from kd_core.data.types import names


def test_words():
    assert names.words("Delivery_person_ID") == ["delivery", "person", "id"]
    assert names.words("CustomerID") == ["customer", "id"]
    assert names.words("Time_taken(min)") == ["time", "taken", "min"]


@pytest.mark.parametrize("name", ["CustomerID", "order_no", "instant", "ID", "Unnamed_index", "id"])
def test_id_names(name):
    assert names.id_like_name(name)


@pytest.mark.parametrize("name", ["paid", "humidity", "know", "Idle", "keyboard", "price"])
def test_names_that_only_contain_an_id_word(name):
    assert not names.id_like_name(name)
    assert not names.owner_like_name(name)


def test_codes_owners_and_targets():
    assert names.code_like_name("zip_code")
    assert not names.code_like_name("encoded")
    assert names.owner_like_name("InvoiceNo")
    assert not names.owner_like_name("clothing_id")
    assert names.target_rank("target") < names.target_rank("order_class")
    assert names.goal_like_name("Revenue")
    assert names.target_rank("Class Name") is None
    assert not names.goal_like_name("age")

from kd_core.data import checks
from kd_core.data.targets import near
from kd_core.errors import Problem


def test_errors_come_first_and_the_rest_keeps_its_order():
    made = [Problem(s, c, "") for s, c in (("note", "a"), ("warning", "b"), ("error", "c"), ("note", "d"))]
    assert [p.code for p in checks.ordered(made)] == ["c", "b", "a", "d"]


def test_unknown_columns_name_the_role_and_what_there_is():
    names = [f"c{i}" for i in range(25)]
    found = checks.unknown_columns({"target": ["C3"], "drop": ["c1", None]}, names)
    assert len(found) == 1
    assert found[0].message == "No column 'C3' (target)."
    assert found[0].hint.startswith("Did you mean 'c3'? Columns: c0, c1,")
    assert found[0].hint.endswith("c19 and 5 more.")


def test_two_roles_of_the_target():
    found = checks.role_problems("y", ["y"], "y", None)
    assert [p.message for p in found] == [
        "y is the target and dropped at once.",
        "y is the target and the group column at once.",
    ]
    assert checks.role_problems(None, [], None, None) == []


def test_near():
    assert near("revenu", ["Revenue", "Month"]) == "Did you mean 'Revenue'? "
    assert near("qqq", ["Revenue"]) == ""

from services.reason.tags.differences import compare_runs

BLACK, DRY = ("colour", "black"), ("selling_point", "waterproof")


def test_changes_are_told_by_tag():
    before = {"a": {BLACK: 0.9, DRY: 0.6}, "b": {BLACK: 0.5}, "gone": {}}
    now = {"a": {BLACK: 0.7, ("colour", "white"): 0.8}, "b": {BLACK: 0.55}, "new": {DRY: 0.5}}
    found = compare_runs(before, now)
    assert [(c.product_id, c.term, c.kind) for c in found.changes] == [
        ("a", BLACK, "changed"),
        ("a", DRY, "removed"),
        ("a", ("colour", "white"), "added"),
    ]
    assert (found.new, found.gone) == (["new"], ["gone"])
    assert found.counts()["added"] == {("colour", "white"): 1}


def test_the_tolerance_itself_is_told():
    changes = compare_runs({"a": {BLACK: 0.7}}, {"a": {BLACK: 0.6}}, tolerance=0.1).changes
    assert [change.kind for change in changes] == ["changed"]
    assert not compare_runs({"a": {BLACK: 0.7}}, {"a": {BLACK: 0.61}}).changes

"""Packs: every cell in exactly one, what must not share a host apart, not too short and not too long."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

import examples
from anisweep.cell import NOT_PINNED, Dataset, Pack, Settings
from anisweep.config.sections import Config
from anisweep.plan.code_digest import code_files
from anisweep.plan.cost import CostModel
from anisweep.plan.packing import packs_of
from anisweep.plan.requests import request_of

MODES = ("numpy_only", "torch_full")

cells = st.builds(
    examples.cell,
    dataset=st.sampled_from([Dataset(name, "", name, 1) for name in ("a", "b", "c")]),
    mode=st.sampled_from(MODES),
    device=st.sampled_from(["cpu", "cuda"]),
    threads=st.sampled_from([NOT_PINNED, 1, 2]),
    replicate=st.integers(1, 3),
    precision=st.sampled_from(["fp64", "fp32"]),
)
wanted = st.lists(st.tuples(cells, st.sampled_from(MODES)), max_size=25, unique_by=lambda each: each[0].key)
configs = st.tuples(st.floats(0.1, 5), st.floats(1, 10)).map(
    lambda drawn: Config(target_minutes=drawn[0], max_minutes=drawn[0] * drawn[1])
)


#: Digests of source files, by mode.
CODES = {mode: code_files(mode) for mode in MODES}


def model_for(pairs=100_000):
    """Every data set has the same pairs: a call takes some ten seconds."""
    known = {(name, 1, examples.CELL.hypers.cutoff_radius, True): pairs for name in "abc"}
    return CostModel(pairs=known)


def packed(wanted, config=None, taken=(), pairs=100_000):
    return packs_of(wanted, config or Config(), model_for(pairs), {"numpy": "2.0"}, CODES, set(taken))


def cell_in(name="a", **changes):
    return examples.cell(dataset=Dataset(name, "", name, 1), **changes)


def with_reference(*cells):
    return [(cell, "numpy_only") for cell in cells]


def test_replicates_of_more_than_a_thousand_are_cells_like_all_others():
    wanted = with_reference(*(cell_in(replicate=replicate) for replicate in (1, 1000, 100_000)))

    packs = packed(wanted)

    assert sorted(cell.replicate for pack in packs for cell in pack.cells) == [1, 1000, 100_000]
    assert all(Pack.from_json(pack.to_json()).cells == pack.cells for pack in packs)


@given(wanted, configs)
def test_every_cell_is_in_exactly_one_pack(wanted, config):
    packs = packed(wanted, config)
    keys = [cell.key for pack in packs for cell in pack.cells]

    assert sorted(keys) == sorted(cell.key for cell, _ in wanted)
    assert all(pack.cells for pack in packs)


def test_a_pack_asks_for_its_threads_and_for_one_core_when_it_is_not_pinned():
    cells = [cell_in(threads=threads) for threads in (NOT_PINNED, 1, 4)]
    packs = packed(with_reference(*cells))

    assert [request_of(pack, model_for()).cpus for pack in packs] == [1, 1, 4]


@given(wanted, configs)
def test_what_must_not_share_a_host_is_apart(wanted, config):
    references = {cell.key: reference for cell, reference in wanted}

    for pack in packed(wanted, config):
        shared = {(cell.replicate, cell.device, cell.threads, references[cell.key]) for cell in pack.cells}
        assert len(shared) == 1
        assert shared.pop()[-1] == pack.reference


@given(wanted, configs)
def test_no_pack_of_several_cells_is_too_long(wanted, config):
    longest = 60 * max(config.max_minutes, config.target_minutes)

    for pack in packed(wanted, config):
        assert len(pack.cells) == 1 or pack.estimated_s <= longest + 0.1


@given(wanted, configs)
def test_packing_is_deterministic_and_names_are_unique(wanted, config):
    packs = packed(wanted, config)

    assert packed(wanted, config) == packs
    assert len({pack.name for pack in packs}) == len(packs)


@settings(max_examples=30)
@given(wanted, st.randoms(use_true_random=False))
def test_the_order_of_cells_in_a_study_does_not_change_names(wanted, random):
    """With room for everything in one pack, its name is that of the set of its cells."""
    roomy = Config(target_minutes=1e6, max_minutes=1e6)
    names = {pack.name for pack in packed(wanted, roomy)}
    random.shuffle(wanted)

    assert {pack.name for pack in packed(wanted, roomy)} == names


@given(wanted, configs)
def test_taken_names_are_not_given_again(wanted, config):
    taken = {pack.name for pack in packed(wanted, config)}
    again = packed(wanted, config, taken)

    assert not taken & {pack.name for pack in again}
    assert [pack.cells for pack in again] == [pack.cells for pack in packed(wanted, config)]


@given(wanted)
def test_packing_by_cell_gives_each_a_pack(wanted):
    packs = packed(wanted, Config(packing="cell"))

    assert [len(pack.cells) for pack in packs] == [1] * len(wanted)


def test_small_packs_of_one_replicate_merge_across_data_sets():
    wanted = with_reference(*(cell_in(name, replicate=replicate) for replicate in (1, 2) for name in "abc"))
    packs = packed(wanted, pairs=1000)

    assert [len(pack.cells) for pack in packs] == [3, 3]
    assert [pack.name[:11] for pack in packs] == ["several-r1-", "several-r2-"]


def test_merging_stops_at_the_target():
    wanted = with_reference(*(cell_in(name) for name in "abc"))
    alone = packed(wanted[:1])[0].estimated_s
    packs = packed(wanted, Config(target_minutes=2.2 * alone / 60))

    assert [[cell.dataset.name for cell in pack.cells] for pack in packs] == [["a", "b"], ["c"]]
    assert packs[1].name.startswith("c-r1-")


def test_a_pack_over_the_limit_is_split_and_each_part_has_its_references():
    wanted = with_reference(*(cell_in(code=str(number)) for number in range(8)))
    whole = packed(wanted, Config(target_minutes=1e3, max_minutes=1e3))
    parts = packed(wanted, Config(target_minutes=0.1, max_minutes=whole[0].estimated_s / 60 / 1.5))

    assert len(whole) == 1
    assert [len(pack.cells) for pack in parts] == [4, 4]
    references = sum(pack.estimated_s for pack in parts) - whole[0].estimated_s
    assert references > 2 * model_for().cell_s(cell_in(), "numpy_only")


def test_the_name_of_a_replacement_counts_up():
    wanted = with_reference(cell_in())
    first = packed(wanted)[0].name

    assert packed(wanted, taken=[first])[0].name == f"{first}-2"
    assert packed(wanted, taken=[first, f"{first}-2"])[0].name == f"{first}-3"


def test_a_pack_says_what_its_digests_were_made_of():
    pack = packed(with_reference(cell_in(mode="torch_full")))[0]

    assert pack.packages == {"numpy": "2.0"}
    assert set(pack.code_files) == {"torch_full"}
    assert {"anisweep.modes.torch_full", "anisweep.worker.process"} <= set(pack.code_files["torch_full"])
    assert "anisweep.modes.torch_mixed" not in pack.code_files["torch_full"]


def test_names_differ_when_a_key_does():
    one = packed(with_reference(cell_in()))[0].name
    names = defaultdict(set)

    for change in ({"environment": "other"}, {"code": "other"}, {"settings": Settings(repetitions=9)}):
        names[packed(with_reference(replace(cell_in(), **change)))[0].name].add(str(change))

    assert len(names) == 3
    assert one not in names

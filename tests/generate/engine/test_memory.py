"""A memory plan says what a run takes: the same terms as the engine allocates, and one clear error where they do not fit."""

import random
from dataclasses import replace

import pytest

from promptkit.errors import NotEnoughMemory
from promptkit.generate import Loading, Request, Sampling, hardware
from promptkit.generate.engine.demand import Demand, peak_stretches
from promptkit.generate.engine.forecast import Forecast
from promptkit.generate.engine.memory import NUM_GUESSES, MemoryPlan, costs, plan_memory
from promptkit.generate.engine.shape import Shape
from promptkit.generate.engine.tree import grow_tree
from promptkit.generate.hardware import available_memory, kilobytes
from promptkit.generate.local_generator import LocalGenerator
from promptkit.generate.prepared import Facts, Sizes, sizes_of

MB = 10**6
SHAPE = Shape(
    num_parameters=1000,
    dtype_size=2,
    num_layers=2,
    num_heads=4,
    num_kv_heads=2,
    key_size=8,
    value_size=8,
    hidden_size=32,
    intermediate_size=64,
    vocab_size=100,
    base=50 * MB,
)


def text(*token_ids, max_new_tokens=10):
    return Request(label="x", prompt="", token_ids=token_ids, sampling=Sampling(max_new_tokens=max_new_tokens, stop=()))


def options(context, *endings):
    joint = tuple((*context, *ending) for ending in endings)
    names = tuple(f"option {number}" for number in range(len(endings)))
    return Request(label="x", prompt="", token_ids=tuple(context), options=names, option_token_ids=joint)


def texts(num, *, shared=100, own=20, max_new_tokens=10):
    return [text(*range(shared), *[1000 + number] * own, max_new_tokens=max_new_tokens) for number in range(num)]


@pytest.fixture
def generator(tiny_model, cache):
    return LocalGenerator(str(tiny_model), Loading(dtype="float32"))


class TestSizes:
    """What a configuration says of the sizes that decide memory."""

    def test_older_names_mean_the_same(self):
        """GPT-2 calls them n_embd, n_layer and n_head."""
        from transformers import GPT2Config

        sizes = sizes_of(GPT2Config(n_embd=64, n_layer=3, n_head=4, vocab_size=99))
        assert sizes == Sizes(
            num_layers=3,
            num_heads=4,
            num_kv_heads=4,
            key_size=16,
            value_size=16,
            hidden_size=64,
            intermediate_size=256,
            vocab_size=99,
            is_tied=True,
        )

    def test_shared_heads_and_windows_are_read(self):
        """Grouped heads make keys and values a fraction of what they were."""
        from transformers import MistralConfig

        sizes = sizes_of(MistralConfig(num_key_value_heads=2, head_dim=40, sliding_window=512))
        assert (sizes.num_kv_heads, sizes.key_size, sizes.sliding_window) == (2, 40, 512)

    def test_what_is_not_said_is_assumed_and_named(self, tmp_path):
        """A plan that counts nothing for what it does not know would promise too much."""
        facts = Facts(
            folder=tmp_path,
            context_length=None,
            eos_token_ids=(),
            bos_token_id=None,
            num_parameters=135_000_000,
            architecture="strange",
            chat_template=None,
            sizes=Sizes(vocab_size=500),
        )
        shape = Shape.of(facts, "float32")
        assert shape.vocab_size == 500
        assert set(shape.assumed) == {
            "num_layers",
            "num_heads",
            "num_kv_heads",
            "key_size",
            "value_size",
            "hidden_size",
            "intermediate_size",
        }
        assert shape.bytes_per_token > 2 * 30 * 3 * 64 * 4, "what a model of this size really has"


class TestPeak:
    """How much of the tree is kept at one time."""

    def test_two_branches_are_not_kept_at_once_where_rows_go_one_by_one(self):
        """The first is let go before the second is entered."""
        rows = [[*range(20), *range(100, 140), end] for end in (1, 2, 3)]
        rows += [[*range(20), *range(200, 260), end] for end in (1, 2, 3)]
        tree = grow_tree(rows)
        assert peak_stretches(tree, 1) == 20 + 60
        assert peak_stretches(tree, 2) == 20 + 40 + 60
        assert peak_stretches(tree, 6) == 20 + 40 + 60

    @pytest.mark.parametrize("num_at_once", [1, 3, 8, 40])
    def test_it_is_the_most_of_all_windows(self, num_at_once):
        """Against every window of rows in the tree's order, looked at one by one."""
        draw = random.Random(0)
        stems = [[draw.randrange(9) for _ in range(draw.randint(20, 60))] for _ in range(6)]
        rows = [[*draw.choice(stems), *draw.choice(stems), draw.randrange(9)] for _ in range(40)]
        tree = grow_tree(rows)
        most = 0
        for first in range(1 - num_at_once, len(rows)):
            inside = tree.order[max(0, first) : max(0, first + num_at_once)]
            nodes = {each for row in inside if (node := tree.below[row]) for each in node.chain()}
            most = max(most, sum(len(node.token_ids) for node in nodes))
        assert peak_stretches(tree, num_at_once) == most

    def test_nothing_shared_is_nothing(self):
        """The empty case."""
        assert peak_stretches(grow_tree([]), 4) == 0


class TestPlan:
    """How many rows at once, and how long the passes are."""

    def test_it_is_what_the_engine_allocates(self, generator):
        """Keys and values in slots and in stretches, byte for byte."""
        import torch

        from promptkit.generate.engine.stretch import HeadShape, Slots
        from promptkit.generate.engine.trunk import Trunk

        ids = [tuple(generator.tokenizer.encode("the film " * 12 + f"{number} apples")) for number in range(5)]
        requests = [text(*each, max_new_tokens=6) for each in ids]
        plan, tree = generator.memory_plan(requests), Demand.of(requests).tree
        engine = generator.engine
        stretch = Trunk(tree).stretch(tree.below[0])
        assert stretch is not None
        with torch.inference_mode():
            engine.compute_stretches([stretch])
        kept = [*stretch.keys.values(), *stretch.values.values()]
        assert plan.stretches == sum(each.numel() * each.element_size() for each in kept) > 0
        slots = Slots(plan.num_slots, max(len(each) - tree.shared(0) for each in ids) + 6)
        heads = HeadShape.of(stretch.keys[0], stretch.values[0])
        made = [each for layer in range(2) for each in slots.layer(layer, heads, stretch.keys[0])]
        assert plan.slots == sum(each.numel() * each.element_size() for each in made)
        assert plan.room == slots.room

    def test_as_many_slots_as_rows_where_there_is_room(self):
        """And never more than 128."""
        assert plan_memory(SHAPE, Demand.of(texts(5)), available=10**9).num_slots == 5
        assert plan_memory(SHAPE, Demand.of(texts(200)), available=10**9).num_slots == 128
        assert plan_memory(SHAPE, Demand.of(texts(200)), available=None).num_slots == 128

    def test_fewer_slots_where_there_is_less(self):
        """The most that fit four fifths of what is there: one more would not."""
        demand = Demand.of(texts(100, own=200))
        plan = plan_memory(SHAPE, demand, available=66 * MB)
        assert 8 <= plan.num_slots < 100
        assert plan.limit == int(0.8 * 66 * MB)
        assert plan.needed <= plan.limit
        one_more = plan_memory(SHAPE, demand, slots=plan.num_slots + 1, available=66 * MB)
        assert one_more.chunk < plan.chunk or one_more.needed > plan.limit

    def test_smaller_passes_where_there_is_little(self):
        """A pass over prompts has at least 64 tokens."""
        demand = Demand.of(texts(100, own=2000))
        room = plan_memory(SHAPE, demand, slots=2, available=None).slots
        plan = plan_memory(SHAPE, demand, memory=50 * MB + 3 * room, available=None)
        assert plan.chunk < 1024
        assert plan.num_slots >= 1

    def test_the_asked_number_is_taken(self):
        """Whoever says it has a reason."""
        assert plan_memory(SHAPE, Demand.of(texts(100)), slots=3, available=10**9).num_slots == 3

    def test_the_error_says_what_is_needed_and_what_would_help(self):
        """In one message, before any weights are read."""
        with pytest.raises(NotEnoughMemory) as caught:
            plan_memory(SHAPE, Demand.of(texts(4, shared=5000)), memory=50 * MB, available=10**9)
        assert str(caught.value) == (
            "one row at a time needs 51 MB of memory, and --memory allows 50 MB\n"
            "    weights 2 kB, the process 50 MB, shared prompts 640 kB, slots of 32 tokens 4 kB, logits 39 kB, "
            "working space 84 kB\n"
            "    what would make it fit: a smaller model, more --memory"
        )

    def test_options_take_one_layers_room(self):
        """Nobody reads their keys and values after the layer that made them."""
        context = list(range(300))
        demand = Demand.of([options([*context, number], (7, 8), (9,)) for number in range(10)])
        plan = plan_memory(SHAPE, demand, available=10**9)
        assert plan.is_scored
        assert plan.slots == 10 * plan.room * SHAPE.layer_bytes_per_token
        assert plan.stretches == 300 * SHAPE.bytes_per_token

    def test_what_is_kept_takes_what_is_left_over(self):
        """Rows at once come first; what has no place beside them is computed again."""
        requests = [replace(each, keeps=True) for each in texts(20, own=200)]
        demand = Demand.of(requests)
        assert demand.kept == 100 + 20 * (200 + 10)
        assert Demand.of(texts(20, own=200)).kept == 0
        plan = plan_memory(SHAPE, demand, available=10**9, held=1000)
        assert plan.kept == 1000 + demand.kept * SHAPE.bytes_per_token
        assert plan.total == plan.needed + plan.mapped + plan.kept
        tight = plan_memory(SHAPE, demand, memory=plan.needed + 500, available=10**9)
        assert (tight.num_slots, tight.kept) == (plan.num_slots, 500)
        careful = plan_memory(SHAPE, demand, slots=20, available=plan.needed)
        assert careful.kept == 0, "a fifth of what is available stays free"

    def test_options_are_kept_as_stretches(self):
        """Their prompts then lie in stretches, though no other row has them."""
        asked = [options([*range(40), *range(100 * number, 100 * number + 60)], (7, 8), (9,)) for number in (1, 2, 3)]
        plain, kept = (Demand.of([replace(each, keeps=keeps) for each in asked]) for keeps in (False, True))
        assert (plain.kept, kept.kept) == (0, 40 + 3 * 59)
        assert sum(len(node.token_ids) for node in kept.tree.nodes) == kept.kept


class TestForecast:
    """What is computed, known before it is."""

    def test_the_tokens_of_texts_are_those_that_the_engine_computes(self, generator):
        """A forecast is worth what it gets right."""
        heads = ["apples and films " * 10, "lovely " * 20, ""]
        ids = [generator.tokenizer.encode(heads[number % 3] + "film " * number) for number in range(20)]
        requests = [text(*each, max_new_tokens=2) for each in ids]
        forecast = Forecast.of(requests)
        list(generator.generate(requests))
        assert forecast.num_computed == generator.work.computed_prompt_tokens < forecast.num_alone
        assert forecast.num_alone == forecast.num_prompt_tokens == sum(map(len, ids))

    def test_the_tokens_of_options_are_those_that_the_engine_computes(self, generator):
        """What options begin with is computed once, too."""
        stem = generator.tokenizer.encode("apples and films " * 10)
        requests = [options([*stem, 5 + number], (7, 8, 9), (7, 8, 10, 11), (12,)) for number in range(6)]
        forecast = Forecast.of(requests)
        list(generator.generate(requests))
        assert forecast.num_computed == generator.work.computed_prompt_tokens
        assert forecast.num_alone == sum(len(ids) for each in requests for ids in each.option_token_ids)
        assert forecast.max_new_tokens == 0

    def test_nothing_is_nothing(self):
        """The empty case."""
        assert Forecast.of([]) == Forecast()
        assert Forecast().sharing == 1.0


class TestLocalGenerator:
    """The plan decides what the engine does at once."""

    def test_the_engine_takes_the_plans_limits(self, generator):
        """And what else it was told stays so."""
        list(generator.generate([text(5, 6, 7), text(8, 9)]))
        assert generator.engine.limits.num_slots == 2
        assert generator.engine.limits.chunk == 1024

    def test_too_little_memory_is_said_before_the_model_is_loaded(self, tiny_model, cache):
        """Loading takes long, and may be what fails."""
        generator = LocalGenerator(str(tiny_model), Loading(dtype="float32", memory=MB))
        with pytest.raises(NotEnoughMemory, match="--memory allows 1 MB"):
            list(generator.generate([text(5, 6, 7)]))
        assert "engine" not in vars(generator)

    def test_calibration_keeps_a_speed_and_no_completion(self, generator):
        """`plan` reads it."""
        assert generator.speed is None
        speed = generator.calibrate([text(5, 6, number) for number in range(20)])
        assert speed.prefill > 0
        assert speed.decode > 0
        assert generator.speed == speed

    def test_constants_written_twice_agree(self):
        """The engine's own stand where torch is imported, and a forecast must not import it."""
        from promptkit.generate.engine import engine, memory, stretch

        assert memory.ROOM == stretch.ROOM
        assert engine.Limits().num_guesses == memory.NUM_GUESSES
        assert engine.Limits().chunk == memory.CHUNKS[0]

    def test_a_cards_constants_are_those_of_its_programs(self):
        """Triton need not be there."""
        from promptkit.generate.engine import memory
        from promptkit.generate.engine.card import card, kernels, steps

        assert (kernels.STEP_KEYS, kernels.MOST_KEYS) == (memory.CARD_STEP_KEYS, memory.CARD_KEYS)
        assert steps.TOKENS[-1] == memory.CARD_STEP
        assert memory.CARD_STEP == 2 * memory.CARD_SLOTS + memory.NUM_GUESSES, (
            "no step of a plan is too large to repeat"
        )
        assert card.LARGE_FROM == memory.CARD_LARGE


def test_plans_are_json():
    """`plan --json` prints them."""
    plan: MemoryPlan = plan_memory(SHAPE, Demand.of(texts(5)), available=10**9)
    assert plan.to_json()["total"] == plan.total == plan.needed


def test_a_card_takes_more_at_once():
    """It is busy with hundreds of rows, where a processor is with a few dozen; memory decides there, too."""
    requests = texts(1000)
    card = replace(SHAPE, is_on_card=True)
    plan = plan_memory(card, Demand.of(requests), available=10_000 * MB)
    assert (plan.num_slots, plan.chunk) == (512, 8192)
    assert plan_memory(SHAPE, Demand.of(requests), available=10_000 * MB).num_slots == 128
    assert plan.working > plan_memory(SHAPE, Demand.of(requests), available=10_000 * MB).working
    small = plan_memory(card, Demand.of(requests), memory=52 * MB, available=10_000 * MB)
    assert 0 < small.num_slots < 512
    assert small.needed <= 52 * MB


def test_a_card_has_memory_of_its_own_for_steps_that_it_repeats():
    """What graphs write lies apart from what passes over prompts use, and long contexts have many lines."""
    card = replace(SHAPE, is_on_card=True)
    asked = Demand.of(texts(4, shared=10_000))
    scored = Demand.of([options(range(10_000), (7, 8), (9,))] * 4)
    plan, plain = costs(card, asked, 4, 8192), costs(replace(card, is_on_card=False), asked, 4, 8192)
    step = 2 * 4 + NUM_GUESSES
    assert plan.logits - plain.logits == 2 * step * card.vocab_size * card.dtype_size
    assert plan.working - plain.working > step * (2 + 10_000 // 256) * card.line_bytes
    assert costs(card, scored, 4, 8192).logits == costs(SHAPE, scored, 4, 8192).logits


@pytest.mark.parametrize(("capability", "dtype"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((12, 0), "bfloat16")])
def test_a_card_computes_in_what_it_has_units_for(monkeypatch, capability, dtype):
    """Older cards only imitate bfloat16, and float16 has too small a range for many models."""
    import torch

    from promptkit.generate import hardware

    monkeypatch.setattr(hardware, "device", lambda: "cuda")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)
    assert hardware.resolve_dtype("auto") == dtype
    assert hardware.resolve_dtype("float16") == "float16"


def test_this_machine_says_what_it_has():
    """What a plan is made to fit; what this process has already counts as available to it."""
    found = available_memory()
    assert found is None or found > 10 * MB
    assert kilobytes("/nowhere", "MemAvailable") is None


def test_what_this_process_has_counts_as_available(monkeypatch):
    """Weights that are laid out anew lie in mapped pages: a later stage must not be told that they lack."""
    lines = {"MemAvailable": 1000 * MB, "RssAnon": 200 * MB, "RssShmem": 30 * MB}
    monkeypatch.setattr(hardware, "device", lambda: "cpu")
    monkeypatch.setattr(hardware, "control_group_free", list)
    monkeypatch.setattr(hardware, "kilobytes", lambda _, name: lines[name])
    assert available_memory() == 1230 * MB

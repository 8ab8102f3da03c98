"""Completions and scores by one pass after another over the packed tokens of many rows."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from promptkit.generate.constrain.mask import Mask
from promptkit.generate.engine.attention import KEYWORD
from promptkit.generate.engine.blocks import Head, fuse, likeliest, plain_head
from promptkit.generate.engine.branches import Asked, Branches, grow_contexts
from promptkit.generate.engine.draft import Drafter, Seen
from promptkit.generate.engine.following import Following
from promptkit.generate.engine.kept import Kept
from promptkit.generate.engine.layout import Part, Pass
from promptkit.generate.engine.live import Live
from promptkit.generate.engine.pages import Arena
from promptkit.generate.engine.stretch import LANES, Scratch, Slots, Stretch
from promptkit.generate.engine.tree import Node, Tree, grow_tree
from promptkit.generate.engine.trunk import Trunk
from promptkit.generate.head import float32_head
from promptkit.generate.meter import Meter
from promptkit.generate.request import Completion, Request
from promptkit.generate.row import Row
from promptkit.generate.tokenizer import Tokenizer

if TYPE_CHECKING:
    from promptkit.generate.constrain.guide import Guides, Wanted
    from promptkit.generate.engine.card.card import Card
    from promptkit.generate.engine.tiles.stack import Stack, TileHead

__all__ = ["Engine", "Limits"]

MASK_ROOM = 1 << 21  # elements of the mask of rows that enter together, padded to the longest


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is done at once: rows in progress, and tokens of one pass over prompts."""

    num_slots: int = 64
    chunk: int = 1024
    num_guesses: int = 64  # tokens guessed in one step beyond one a row; 0 for none
    is_shared: bool = True


class Engine:
    """A loaded model whose attention is this engine's; see `loading.make_engine`."""

    def __init__(self, model: Any, tokenizer: Tokenizer, eos: frozenset[int], meter: Meter, limits: Limits) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.eos = eos
        self.meter = meter
        self.limits = limits
        self.stack: Stack | None = None  # all of the model's layers in one call, where they are of the usual kind
        self.head: Head | TileHead | None = None  # its last product, where its logits are that and nothing more
        self.kept = Kept()
        self.lent: dict[Any, Any] = {}
        self.card: Card | None = None  # what computes attention, where the model is on a card with programs of ours
        self.arena: Arena | None = None  # memory for slots, where there is some already

    @cached_property
    def guides(self) -> Guides:
        """What constraints are followed with."""
        from promptkit.generate.constrain.guide import Guides  # noqa: PLC0415 - brings llguidance

        return Guides(self.tokenizer, self.eos)

    def lay_out(self) -> None:
        """Lays the model's weights out anew, where that makes it faster on its device."""
        if self.model.device.type == "cpu" and self.card is None:
            self.stack = fuse(self.model)
            self.head = plain_head(self.model)

    def simplify(self) -> bool:
        """Gives up what a card does by itself: first repeating steps, then our programs. Tells whether there was any of it."""
        if self.card is None:
            return False
        if self.card.steps.is_on:
            self.card.steps.is_on = False
        else:
            self.card = None
        return True

    @property
    def num_at_once(self) -> int:
        """How many rows are in progress at once."""
        return self.limits.num_slots

    def new_pass(self) -> Pass:
        """A pass with nothing in it."""
        return Pass(device=self.model.device, card=self.card, lent=self.lent)

    def new_slots(self, num: int, room: int) -> Slots:
        """Slots for so many rows of at most so many own tokens."""
        return Slots(num, room, self.arena, lanes=self.lanes)

    def new_scratch(self, num: int, room: int) -> Scratch:
        """Slots for rows that are computed in one pass."""
        return Scratch(num, room, lanes=self.lanes)

    @property
    def lanes(self) -> int:
        """How many neighbours' keys lie side by side in a slot."""
        return LANES if self.card is None else 1

    @property
    def mask_room(self) -> float:
        """How many elements the mask of rows that enter together may have; a card's programs have none."""
        return MASK_ROOM if self.card is None else math.inf

    def take_less(self) -> bool:
        """Halves what is computed at once, and tells whether that was possible."""
        before = self.limits
        self.limits = replace(before, num_slots=max(1, before.num_slots // 2), chunk=max(64, before.chunk // 2))
        if self.card is not None:
            self.card.steps.forget()
        return self.limits != before

    @torch.inference_mode()
    def complete(self, requests: Sequence[tuple[int, Request]]) -> Iterator[tuple[int, Completion]]:
        """The completions as they finish, each with its request's index."""
        rows = [request.token_ids for _, request in requests]
        self.kept.begin(rows)
        tree = grow_tree(rows, is_shared=self.limits.is_shared)
        trunk, queue = Trunk(tree, self.kept), list(reversed(tree.order))
        if self.arena is not None:
            self.arena.clear()
        slots = self.new_slots(min(self.limits.num_slots, len(requests)), needed_room(requests, tree))
        wants_logits = any(request.sampling.temperature or request.wants_likelihood for _, request in requests)
        live: list[Live] = []
        while queue or live:
            started = time.perf_counter()
            if queue and (not live or len(slots.free) >= min(len(queue), max(1, slots.num // 8))):
                numbers = [queue.pop() for _ in range(min(len(queue), len(slots.free)))]
                stepped = [self.admit(requests[number], tree, number, trunk, slots) for number in numbers]
                self.compute_stretches([each.below for each in stepped if each.below])
                masks = self.masks_of(stepped)
                following = self.led(self.enter(slots, stepped, wants_logits=wants_logits), masks)
                live += stepped
                self.meter.prefill_s += time.perf_counter() - started
                started = time.perf_counter()
            else:
                stepped = live
                self.guess(live)
                masks = self.masks_of(live)
                following = self.led(self.step(slots, live, wants_logits=wants_logits), masks)
            done = self.advance(stepped, following)
            for each in stepped:
                each.keep()
            for each in [each for each in stepped if each.slot in done]:
                if each.row.request.keeps:
                    self.kept.add_row(each.computed, each.below, slots, each.slot)
                slots.free.append(each.slot)
                trunk.leave(each.below.node if each.below else None)
            live = [each for each in live if each.slot not in done]
            self.meter.num_live = len(live)
            self.meter.decode_s += time.perf_counter() - started
            yield from done.values()

    def admit(self, numbered: tuple[int, Request], tree: Tree, number: int, trunk: Trunk, slots: Slots) -> Live:
        """The row of a request, which is the tree's row `number`, with a slot of its own and what is kept in it."""
        index, request = numbered
        slot, below = slots.free.pop(), trunk.stretch(tree.below[number])
        return Live(
            row=Row.start(index, request, self.tokenizer, lambda: self.guides),
            slot=slot,
            below=below,
            start=tree.shared(number),
            length=self.kept.fill(slots, slot, request.token_ids, tree.shared(number)),
            drafter=self.drafter(request, below),
        )

    @torch.inference_mode()
    def score(self, requests: Sequence[tuple[int, Request]]) -> Iterator[tuple[int, Completion]]:
        """The log-likelihood of each option of each request, with the request's index.

        Prompt and option are tokenised together. Where the join makes one token of the prompt's end and an option's
        beginning, all options are scored from the first token at which any of them departs from the prompt's own
        tokens, so that every score is the probability of the rest given the same beginning.
        """
        self.kept.begin([request.option_token_ids[0] for _, request in requests])
        tree, begins = grow_contexts(
            [request for _, request in requests], is_shared=self.limits.is_shared, num_known=self.kept.num_known
        )
        trunk = Trunk(tree, self.kept)
        pending: list[tuple[int, Asked]] = []
        num_pending = 0
        longest = 0
        for number in tree.order:
            index, request = requests[number]
            branches = Branches.of(request, tree.shared(number))
            longest = max(longest, len(branches))
            pending.append((number, Asked(index=index, request=request, start=begins[number], branches=branches)))
            num_pending += len(branches)
            is_full = num_pending >= self.limits.chunk or (len(pending) + 1) * longest**2 > self.mask_room
            if is_full or number == tree.order[-1]:
                started = time.perf_counter()
                made = self.score_together(
                    [asked for _, asked in pending], [tree.below[each] for each, _ in pending], trunk
                )
                self.meter.prefill_s += time.perf_counter() - started
                yield from made
                pending, num_pending, longest = [], 0, 0

    def score_together(
        self, asked: Sequence[Asked], nodes: Sequence[Node | None], trunk: Trunk
    ) -> list[tuple[int, Completion]]:
        """The completions of requests whose options go through one pass."""
        below = [trunk.stretch(node) for node in nodes]
        self.compute_stretches([each for each in below if each])
        forward = self.new_pass()
        slots = self.new_scratch(len(asked), max(len(each.branches) for each in asked))
        forward.add_fresh(slots, [each.branches.part(slot, below[slot]) for slot, each in enumerate(asked)])
        lines: list[tuple[int, int, int]] = []  # the request, the kept token, and what may follow it
        first = 0
        rows: list[int] = []
        for number, each in enumerate(asked):
            for place, following in each.wanted().items():
                rows += [len(forward.wanted)] * len(following)
                lines += [(number, place, token) for token in following]
                forward.wanted.append(first + place)
            first += len(each.branches)
        self.meter.computed_prompt_tokens += len(forward)
        shares = self.shares_after(forward, rows, [token for _, _, token in lines])
        found: list[dict[tuple[int, int], float]] = [{} for _ in asked]
        for (number, place, token), share in zip(lines, shares, strict=True):
            found[number][place, token] = share
        for each, node, stretch in zip(asked, nodes, below, strict=True):
            if each.request.keeps:
                self.kept.add(each.request.token_ids, stretch)
            trunk.leave(node)
        return [(each.index, each.completion(known)) for each, known in zip(asked, found, strict=True)]

    def shares_after(self, forward: Pass, rows: Sequence[int], tokens: Sequence[int]) -> list[float]:
        """The log-probability of each token after its row of the pass's wanted ones, from float32 logits."""
        if self.head is not None:
            return self.head.log_shares(self.hidden(forward), rows, tokens)
        with float32_head(self.model):
            logits = self.forward(forward).float()
        return log_shares(logits, rows, tokens)

    def drafter(self, request: Request, below: Stretch | None) -> Drafter | None:
        """What guesses a greedy row's tokens, from its prompt and from what it wrote."""
        if request.sampling.temperature or not self.limits.num_guesses:
            return None
        return Drafter(Seen(request.token_ids[below.end if below else 0 :], below.seen if below else None))

    def compute_stretches(self, stretches: Sequence[Stretch]) -> None:
        """Computes those of the stretches and of what stands above them that are not computed yet."""
        chains = dict.fromkeys(each for stretch in stretches for each in stretch.chain())
        missing = [each for each in chains if each.num_done < len(each)]
        while missing:
            ready = [each for each in missing if each.parent is None or each.parent.num_done == len(each.parent)]
            forward = self.new_pass()
            taken: list[tuple[Stretch, int]] = []
            for stretch in ready:
                num = min(self.limits.chunk - len(forward), len(stretch) - stretch.num_done)
                if num > 0:
                    forward.add_stretch(stretch, num)
                    taken.append((stretch, num))
            self.compute(forward)
            self.meter.computed_prompt_tokens += len(forward)
            for stretch, num in taken:
                stretch.num_done += num
            missing = [each for each in missing if each.num_done < len(each)]

    def enter(self, slots: Slots, entering: Sequence[Live], *, wants_logits: bool) -> Following:
        """Computes the rows' own prompts; what follows each."""
        found: list[Following] = []
        order: list[int] = []  # the slots of the rows that are found
        waiting = list(entering)
        while waiting:
            forward = self.new_pass()
            taken: list[tuple[Live, Part]] = []
            budget, longest = self.limits.chunk, 0
            for each in waiting:
                longest = max(longest, min(budget, len(each.own_prompt) - each.length))
                if taken and (len(taken) + 1) * longest**2 > self.mask_room:
                    break
                tokens = each.own_prompt[each.length : each.length + budget]
                budget -= len(tokens)
                taken.append((each, each.part(tokens)))
                if not budget:
                    break
            taken.sort(
                key=lambda pair: pair[0].length > 0
            )  # some go on from what is kept, or where a pass before ended
            forward.add_fresh(slots, [part for each, part in taken if not each.length])
            forward.add_parts(slots, [part for each, part in taken if each.length])
            end = 0
            for each, part in taken:
                end += len(part.token_ids)
                each.length += len(part.token_ids)
                if each.length == len(each.own_prompt):
                    order.append(each.slot)
                    forward.wanted.append(end - 1)
            self.meter.computed_prompt_tokens += len(forward)
            found.append(self.following(forward, wants_logits=wants_logits))
            waiting = [each for each in waiting if each.length < len(each.own_prompt)]
        line = {slot: number for number, slot in enumerate(order)}
        return Following.joined(found, [line[each.slot] for each in entering])

    def step(self, slots: Slots, live: Sequence[Live], *, wants_logits: bool) -> Following:
        """Computes each row's next token, and the guesses after it; what follows each of them."""
        forward = self.new_pass()
        forward.add_parts(slots, [each.part((each.following, *each.guesses)) for each in live])
        forward.wanted = list(range(len(forward)))
        forward.is_step = True
        return self.following(forward, wants_logits=wants_logits)

    def following(self, forward: Pass, *, wants_logits: bool) -> Following:
        """What follows the pass's wanted tokens."""
        if not forward.wanted:
            self.compute(forward)
            return Following(likeliest=[])
        if self.head is not None and not wants_logits:
            hidden = self.hidden(forward)
            return Following(likeliest=self.head.likeliest(hidden), hidden=hidden)
        logits = self.forward(forward)
        best = likeliest(logits)
        return Following(likeliest=best, logits=logits.cpu() if wants_logits else logits)  # processors draw, row by row

    def masks_of(self, live: Sequence[Live]) -> Future[Mapping[int, Mask]] | None:
        """The masks of rows that have a constraint, which are computed while the model computes; None without any.

        The lines are those of a pass over each row's next token and its guesses.
        """
        wanted: list[Wanted] = []
        line = 0
        for each in live:
            if each.row.guide is not None:
                wanted.append((line, each.row.guide, each.guesses))
            line += 1 + len(each.guesses)
        return self.guides.begin(wanted) if wanted else None

    def led(self, following: Following, masks: Future[Mapping[int, Mask]] | None) -> Following:
        """What follows, with rows that have a constraint taking what it allows.

        Mostly the likeliest token of all is allowed; logits are written down for lines where it is not.
        """
        if masks is None:
            return following
        by_line = masks.result()
        tokens = list(following.likeliest)
        taken = {line: mask.taken(tokens[line]) for line, mask in by_line.items()}
        unsure = [line for line, token in taken.items() if token is None]
        if unsure:
            logits = self.logits_at(following, unsure)
            taken |= {line: by_line[line].likeliest(row) for line, row in zip(unsure, logits, strict=True)}
        for line, token in taken.items():
            assert token is not None
            tokens[line] = token
        return replace(following, likeliest=tokens, masks=by_line)

    def logits_at(self, following: Following, lines: Sequence[int]) -> torch.Tensor:
        """The logits (n, V), float32, of these lines."""
        if following.hidden is None:
            return following.written[list(lines)].float()
        assert self.head is not None
        return self.head(following.hidden[list(lines)]).float()

    def guess(self, live: Sequence[Live]) -> None:
        """Lets rows guess what they write next, as far as that costs little beside the step itself."""
        budget = self.limits.num_guesses + len(live)
        for each in live:
            each.guesses = ()
            if self.limits.num_guesses and budget > 0:
                most = min(budget, each.row.request.max_tokens - len(each.row.text.token_ids) - 1)
                each.guesses = tuple(each.row.guesses(each.drafter, most))
                budget -= len(each.guesses)

    def advance(self, live: Sequence[Live], following: Following) -> dict[int, tuple[int, Completion]]:
        """Takes each row's next tokens: its own, and those guesses that it would have written; rows that end, by slot."""
        done = {}
        line = 0
        for each in live:
            num_right = 0
            guesses, forced = each.guesses, each.row.forced
            while True:
                token = each.row.taken(following.token(each, line + num_right))
                self.meter.num_new_tokens += 1
                if each.row.request.wants_likelihood:
                    each.row.weigh(following.written[line + num_right], token)
                ended = each.row.finished(token, self.eos)
                is_right = num_right < len(guesses) and guesses[num_right] == token
                if ended or not is_right:
                    break
                num_right += 1
            if each.drafter is not None:
                each.drafter.seen.add((*guesses[:num_right], token))
                each.drafter.learn(0 if forced else len(guesses), num_right)
            each.following = token
            each.num_right = num_right
            line += 1 + len(guesses)
            if ended:
                done[each.slot] = (each.row.index, each.row.completion(ended))
        return done

    def compute(self, forward: Pass) -> None:
        """Computes the pass for the keys and values that it keeps, and nothing else."""
        if self.stack is not None:
            self.stack(forward)
        else:
            self.forward(forward)

    def forward(self, forward: Pass) -> torch.Tensor:
        """The logits (n, V) after the pass's wanted tokens."""
        if self.stack is not None and self.head is not None:
            return self.head(self.hidden(forward))
        repeated = self.card.logits(self, forward) if self.card is not None else None
        if repeated is not None:
            return repeated
        wanted = torch.tensor(forward.wanted or [len(forward) - 1], device=self.model.device)
        out = self.model(**self.inputs(forward), logits_to_keep=wanted)
        logits: torch.Tensor = out.logits[0, : len(forward.wanted)]
        return logits

    def hidden(self, forward: Pass) -> torch.Tensor:
        """The last hidden states (n, C) of the pass's wanted tokens."""
        if self.stack is not None:
            wanted: torch.Tensor = self.stack.norm(self.stack(forward)[forward.wanted])
            return wanted
        states: torch.Tensor = self.model.base_model(**self.inputs(forward)).last_hidden_state[0]
        return states[forward.wanted]

    def inputs(self, forward: Pass) -> dict[str, Any]:
        """What the model's modules are called with."""
        return {
            "input_ids": torch.tensor([forward.token_ids], device=self.model.device),
            "position_ids": forward.position_ids[None],
            "attention_mask": None,
            "past_key_values": None,
            "use_cache": False,
            KEYWORD: forward,
        }


def needed_room(requests: Sequence[tuple[int, Request]], tree: Tree) -> int:
    """The most tokens that any row keeps for itself: what is left of its prompt, and all that it may write."""
    return max(
        len(request.token_ids) - tree.shared(row) + request.max_tokens for row, (_, request) in enumerate(requests)
    )


def log_shares(logits: torch.Tensor, rows: Sequence[int], tokens: Sequence[int]) -> list[float]:
    """The log-probability of each token after its row of the logits (n, V), float32."""
    lse = logits.logsumexp(dim=-1)
    where = torch.tensor(rows, device=logits.device)
    chosen = logits[where, torch.tensor(tokens, device=logits.device)]
    shares: list[float] = (chosen.double() - lse[where].double()).tolist()
    return shares

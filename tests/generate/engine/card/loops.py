"""What a card's programs compute, written as plain loops: their meaning, on any machine."""

import ctypes
import math

import torch

from promptkit.generate.engine.card.readings import Cut


class Loops:
    """`Kernels`, one number after another. Pieces are small, so that much is cut."""

    def __init__(self, num_tokens=4, num_keys=24):
        self._cut = Cut(num_tokens=num_tokens, num_keys=num_keys)

    def cut(self, group, dtype, *, is_large):
        return self._cut

    def put(self, heads, holders, homes):
        for token, (holder, slot, place) in enumerate(homes.tolist()):
            if holder < 0:
                continue
            keys, values = lying_at(holders[holder].tolist(), slot, place, 1, heads)
            keys[:] = heads.keys[:, token : token + 1]
            values[:] = heads.values[:, token : token + 1]

    def read(self, settings, heads, holders, pieces, most_tokens, positions, partials):
        out, lse = partials
        out.fill_(math.nan)
        lse.fill_(math.nan)
        for holder, slot, place, num, begins_at, first, num_tokens, line in pieces.tolist():
            if num == 0:
                continue
            assert num_tokens <= most_tokens
            keys, values = lying_at(holders[holder].tolist(), slot, place, num, heads)
            here = positions[first : first + num_tokens, None]
            there = torch.arange(begins_at, begins_at + num)[None]
            seen = (there <= here) & (there > here - (settings.window or 1 << 40))
            scores = torch.einsum("tkgd,knd->tkgn", heads.query[first : first + num_tokens].float(), keys.float())
            scores = scores * settings.scale
            if settings.softcap is not None:
                scores = settings.softcap * torch.tanh(scores / settings.softcap)
            scores = scores.masked_fill(~seen[:, None, None], -math.inf)
            found = scores.logsumexp(dim=-1)
            shares = torch.exp(scores - torch.where(found == -math.inf, 0.0, found)[..., None])
            out[line : line + num_tokens] = torch.einsum("tkgn,kne->tkge", shares, values.float())
            lse[line : line + num_tokens] = found

    def merge(self, settings, partials, line_starts, lines, out):
        parts, lse = partials
        for token in range(len(out)):
            here = lines[line_starts[token] : line_starts[token + 1]]
            levels, mixed = lse[here], parts[here]
            if settings.sinks is not None:
                levels = torch.cat([levels, settings.sinks[None]])
                mixed = torch.cat([mixed, torch.zeros_like(parts[:1])])
            if len(levels):
                out[token] = (torch.softmax(levels, dim=0)[..., None] * mixed).sum(dim=0)
            else:
                out[token] = 0


def lying_at(holder, slot, place, num, heads):
    """Keys (K, n, D) and values (K, n, E) where a holder has them: the memory itself."""
    key_address, value_address, key_slot, value_slot, num_between = holder
    return tuple(
        memory(address, slot * step, place, num, num_between, like)
        for address, step, like in ((key_address, key_slot, heads.keys), (value_address, value_slot, heads.values))
    )


def memory(address, begin, place, num, num_between, like):
    """Numbers (K, n, size) of the memory at an address, in the dtype of `like` (K, T, size)."""
    num_heads, _, size = like.shape
    count = begin + ((num_heads - 1) * num_between + place + num) * size
    raw = (ctypes.c_char * (count * like.element_size())).from_address(address)
    flat = torch.frombuffer(raw, dtype=like.dtype)
    return flat.as_strided((num_heads, num, size), (num_between * size, size, 1), begin + place * size)

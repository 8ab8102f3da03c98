"""Drawing tokens: the distribution is the declared one."""

import pytest


@pytest.fixture
def logits():
    import torch

    return torch.log(torch.tensor([0.5, 0.3, 0.15, 0.05]))


@pytest.mark.parametrize(
    ("settings", "shares"),
    [
        ({"temperature": 1.0}, [0.5, 0.3, 0.15, 0.05]),
        ({"temperature": 1.0, "top_k": 2}, [0.625, 0.375, 0, 0]),
        ({"temperature": 1.0, "top_p": 0.9}, [0.5263, 0.3158, 0.1579, 0]),
        ({"temperature": 1.0, "top_p": 0.01}, [1, 0, 0, 0]),
        ({"temperature": 0.5}, [0.6849, 0.2466, 0.0616, 0.0068]),
    ],
)
def test_the_share_of_each_token_is_the_declared_one(logits, settings, shares):
    """Sweeping the uniform number over a grid gives every token its share of the grid."""
    from promptkit.generate.request import Sampling
    from promptkit.generate.sampling import draw_token

    drawn = [draw_token(logits, Sampling(**settings), place / 2000) for place in range(2000)]
    for token, share in enumerate(shares):
        assert drawn.count(token) / 2000 == pytest.approx(share, abs=0.002)


def test_temperature_zero_is_greedy_whatever_else_is_set(logits):
    """top_p and the seed mean nothing then."""
    from promptkit.generate.request import Sampling
    from promptkit.generate.sampling import Draw, next_tokens

    sampling = Sampling(temperature=0.0, top_p=0.1, top_k=1)
    assert next_tokens(logits[None], [sampling], [Draw(1)]) == [0]


@pytest.mark.parametrize(
    "settings",
    [
        {"temperature": 0.7},
        {"temperature": 1.3, "top_k": 40},
        {"temperature": 1.0, "top_k": 900},
        {"temperature": 0.7, "top_p": 0.9},
        {"temperature": 2.0, "top_p": 0.999999},
        {"temperature": 0.5, "top_k": 5, "top_p": 0.5},
        {"temperature": 30.0},
    ],
)
def test_what_is_drawn_is_what_a_full_sort_would_draw(settings):
    """Only the likeliest are sorted; where others decide, all are. Rounded logits have many equals."""
    import torch

    from promptkit.generate.request import Sampling
    from promptkit.generate.sampling import draw_token

    torch.manual_seed(0)
    sampling = Sampling(**settings)
    for spread in (1.0, 8.0, 40.0):
        logits = (torch.randn(1000) * spread).bfloat16().float()
        scaled, order = (logits.double() / sampling.temperature).sort(descending=True, stable=True)
        scaled = scaled[: sampling.top_k] if sampling.top_k else scaled
        shares = scaled.softmax(dim=-1)
        cumulated = shares.cumsum(dim=-1)
        cumulated = cumulated[: int((cumulated - shares < sampling.top_p).sum())] if sampling.top_p < 1 else cumulated
        for uniform in [*torch.rand(200, dtype=torch.float64).tolist(), 0.0, 1 - 1e-9]:
            place = int(torch.searchsorted(cumulated, uniform * float(cumulated[-1]), right=True))
            expected = int(order[min(place, len(cumulated) - 1)])
            assert draw_token(logits, sampling, uniform) == expected

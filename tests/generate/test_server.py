"""The server model, against a real server process with a real, tiny model on loopback."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

import pytest
from pydantic import ValidationError

from promptkit.errors import GenerationError, ModelError
from promptkit.generate import Loading, Request, Sampling
from promptkit.generate.server import ServerModel
from promptkit.generate.server_generator import ServerGenerator
from promptkit.generate.server_line import Line, asked_delay_s, connect

pytestmark = pytest.mark.slow  # two processes import torch
PROGRAM = Path(__file__).with_name("completion_server.py")
PROMPTS = ["Question: what is three plus four? Answer:", "The film is", "Is the film good?", "äö 東京"]


@pytest.fixture(scope="module")
def process():
    with subprocess.Popen([sys.executable, str(PROGRAM)], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.terminate()


@pytest.fixture(scope="module")
def tiny(process):
    """The model that the server has, in this process; made while the server starts."""
    from tests.generate.completion_server import TinyModel

    return TinyModel()


@pytest.fixture(scope="module")
def base_url(process, tiny):
    return f"http://127.0.0.1:{int(process.stdout.readline())}/v1"


def opened(base_url, name="tiny", key=None, **declared):
    return ServerGenerator(ServerModel(base_url=base_url, name=name, **declared), key, first_delay_s=0.01)


def text_request(prompt, seed=0, **sampling):
    return Request(label="example '1' (a.jsonl:1)", prompt=prompt, sampling=Sampling(**sampling), seed=seed)


def choice_request(prompt, *options):
    return Request(label="example '1' (a.jsonl:1)", prompt=prompt, options=options)


def completions(generator, requests):
    found = dict(generator.generate(requests))
    assert sorted(found) == list(range(len(requests)))
    return [found[index] for index in range(len(requests))]


def failure(generator, *requests):
    with pytest.raises(GenerationError) as caught:
        list(generator.generate(requests))
    return str(caught.value)


def log(base_url, name):
    """What the server was asked under a model's name."""
    with build_opener(ProxyHandler({})).open(f"{base_url.removesuffix('/v1')}/log?{quote(name)}") as answer:
        return json.load(answer)


def greedy(tiny, prompt, max_tokens):
    """The text that the model writes when it is asked directly."""
    new, ended, _ = tiny.write(tiny.encode(prompt), {"max_tokens": max_tokens, "temperature": 0})
    return tiny.tokenizer.decode(new), ended, len(new)


def log_likelihood(tiny, ids, first):
    """The log-likelihood of the tokens from place `first` on, computed directly."""
    shares = tiny.log_shares(ids)
    return sum(float(shares[place - 1, ids[place]]) for place in range(first, len(ids)))


def test_greedy_text_is_the_models_own(base_url, tiny):
    """Nothing is added on the way to the model, and nothing is lost on the way back."""
    made = completions(opened(base_url), [text_request(prompt, max_new_tokens=12) for prompt in PROMPTS])
    wanted = [greedy(tiny, prompt, 12) for prompt in PROMPTS]
    assert [(each.text, each.ended, each.num_new_tokens) for each in made] == wanted
    assert {each.ended for each in made} == {"length"}


def test_the_models_own_end_is_eos(base_url, tiny):
    """An ended text and a cut one are different things to a reader of statuses."""
    text, _, num_tokens = greedy(tiny, "The four", 64)
    (made,) = completions(opened(base_url), [text_request("The four", max_new_tokens=64, stop=("END",))])
    assert (made.text, made.ended, made.num_new_tokens) == (text, "eos", num_tokens)


@pytest.mark.parametrize("name", ["tiny", "tiny?stop_reason=1"])
def test_a_stop_string_cuts_exactly(base_url, tiny, name):
    """A server says "stop" for stop strings and for the model's end; only some say which it was."""
    text, _, _ = greedy(tiny, "The four", 64)
    (made,) = completions(opened(base_url, name), [text_request("The four", max_new_tokens=64, stop=(" film",))])
    assert made.text == text[: text.index(" film")]
    assert made.ended == ("stop" if "stop_reason" in name else "eos")


def test_the_likelihood_of_what_is_written_is_the_servers(base_url, tiny):
    """For votes that weigh samples; a server that does not say it cannot be asked for one."""
    request = replace(text_request("The film is", max_new_tokens=12), wants_likelihood=True)
    (made,) = completions(opened(base_url), [request])
    ids = tiny.encode("The film is")
    new, _, _ = tiny.write(ids, {"max_tokens": 12, "temperature": 0})
    assert made.log_likelihood == pytest.approx(log_likelihood(tiny, ids + new, len(ids)), abs=1e-3)
    assert failure(opened(base_url, "tiny?logprobs=none"), request) == (
        f"{base_url}/completions: the server does not return log-likelihoods of what it writes (logprobs); a vote "
        "weighted by likelihood, and `best`, need them"
    )


def test_stops_beyond_the_fourth_cut_too(base_url, tiny):
    """Servers take four stop strings; a pipeline may have more."""
    name = "tiny?id=many-stops"
    text, _, _ = greedy(tiny, "The four", 64)
    stop = ("<1>", "<2>", "<3>", "<4>", " film")
    (made,) = completions(opened(base_url, name), [text_request("The four", max_new_tokens=64, stop=stop)])
    assert (made.text, made.ended) == (text[: text.index(" film")], "stop")
    assert log(base_url, name)["bodies"][0]["stop"] == ["<1>", "<2>", "<3>", "<4>"]


def test_what_is_sent_is_what_was_asked(base_url):
    """Every setting reaches the server, and fields beyond the API only where they are needed."""
    name = "tiny?id=sent"
    plain = text_request("a", max_new_tokens=1)
    drawn = text_request("b", seed=2**40 + 5, max_new_tokens=2, temperature=0.5, top_p=0.9, top_k=3, stop=("x",))
    completions(opened(base_url, name, concurrency=1), [plain, drawn])
    assert log(base_url, name)["bodies"] == [
        {"model": name, "prompt": "a", "max_tokens": 1, "temperature": 0.0, "top_p": 1.0, "n": 1, "seed": 0},
        {
            "model": name,
            "prompt": "b",
            "max_tokens": 2,
            "temperature": 0.5,
            "top_p": 0.9,
            "n": 1,
            "seed": 5,
            "stop": ["x"],
            "top_k": 3,
        },
    ]


def test_samples_differ_by_seed_alone(base_url):
    """The same seed gives the same text, so that a run can be repeated."""
    requests = [text_request("The film", seed=seed, max_new_tokens=8, temperature=1.0) for seed in (1, 2, 1)]
    one, two, again = completions(opened(base_url), requests)
    assert one.text == again.text != two.text


def test_requests_go_out_together_over_kept_connections(base_url, tiny):
    """Concurrency is what makes a server fast, and a new connection for each request is what makes it slow."""
    name = "tiny?delay_s=0.1"
    requests = [text_request(f"The film {number}", max_new_tokens=2) for number in range(12)]
    made = completions(opened(base_url, name, concurrency=4), requests)
    assert [each.text for each in made] == [greedy(tiny, each.prompt, 2)[0] for each in requests]
    told = log(base_url, name)
    assert told["max_at_once"] == 4
    assert len(told["ports"]) == 4


def test_results_come_as_they_finish(base_url):
    """A slow row must not hold back those that are done: they are kept as they come."""
    generator = opened(base_url, "tiny?delay_s=0.3&slow=slow", concurrency=2)
    asked = [text_request("slow", max_new_tokens=1), text_request("quick", max_new_tokens=1)]
    assert [index for index, _ in generator.generate(asked)] == [1, 0]


def test_no_requests_ask_nothing(base_url):
    """A run whose completions are all kept already needs no server."""
    assert list(opened("http://127.0.0.1:9/v1").generate([])) == []


@pytest.mark.parametrize("name", ["tiny", "tiny?refuse_zero=1", "tiny?usage=0", "tiny?usage=0&refuse_zero=1"])
@pytest.mark.parametrize("prompt", ["Question: what is three plus four? Answer:", "Is the café 東京 good? 🙂"])
def test_option_scores_are_the_models_own(base_url, tiny, name, prompt):
    """Whether the server echoes without writing, or must write a token more, the option's own tokens are summed."""
    options = (" yes", " no", " the answer is seven")
    (made,) = completions(opened(base_url, name), [choice_request(prompt, *options)])
    num_own = len(tiny.encode(prompt))
    joint = [tiny.encode(prompt + option) for option in options]
    assert all(ids[:num_own] == tiny.encode(prompt) for ids in joint)
    wanted = [log_likelihood(tiny, ids, num_own) for ids in joint]
    assert [each.log_likelihood for each in made.options] == pytest.approx(wanted, abs=1e-4)
    assert [each.num_tokens for each in made.options] == [len(ids) - num_own for ids in joint]
    assert (made.text, made.ended) == (options[wanted.index(max(wanted))], "scored")


def test_options_that_change_the_prompts_tokens_start_together(base_url, tiny):
    """' ans' + 'wer' is one token: both options are scored from the token before which they still agree."""
    options = ("wer", "d")
    (made,) = completions(opened(base_url), [choice_request("the ans", *options)])
    joint = [tiny.encode("the answer"), tiny.encode("the ansd")]
    num_common = len(tiny.encode("the"))
    assert joint[0][:num_common] == joint[1][:num_common] != tiny.encode("the ans")
    wanted = [log_likelihood(tiny, ids, num_common) for ids in joint]
    assert [each.log_likelihood for each in made.options] == pytest.approx(wanted, abs=1e-4)


def test_an_empty_prompt_leaves_bos_before_the_options(base_url, tiny):
    """The unconditional score of an option may be asked for after nothing at all."""
    (made,) = completions(opened(base_url), [choice_request("", " yes", " no")])
    wanted = [log_likelihood(tiny, tiny.encode(option), 1) for option in (" yes", " no")]
    assert [each.log_likelihood for each in made.options] == pytest.approx(wanted, abs=1e-4)


def test_a_refusal_of_zero_tokens_is_remembered(base_url):
    """One refused request is enough to learn how the server wants it."""
    name = "tiny?refuse_zero=1&id=remembered"
    completions(opened(base_url, name, concurrency=1), [choice_request("The film is", " good", " bad")])
    assert [body["max_tokens"] for body in log(base_url, name)["bodies"]] == [0, 1, 1, 1]


@pytest.mark.parametrize("name", ["tiny?logprobs=none", "tiny?logprobs=new", "tiny?logprobs=new&refuse_zero=1"])
def test_a_server_that_cannot_score_is_found_out(base_url, name):
    """Some servers answer with the new tokens' scores alone; every option would score 0, and chance look like data."""
    assert failure(opened(base_url, name), choice_request("The film is", " good", " bad")) == (
        f"{base_url}/completions: the server does not return log-likelihoods of the prompt (echo with logprobs); "
        "choose needs them"
    )


@pytest.mark.parametrize("trouble", ["fail=2", "fail=2&status=429", "fail=2&status=503", "hang_up=2"])
def test_passing_trouble_is_waited_out(base_url, tiny, trouble):
    """An hour's run must not die of one lost connection."""
    name = f"tiny?{trouble}&id=passing"
    (made,) = completions(opened(base_url, name), [text_request("The film is", max_new_tokens=3)])
    assert made.text == greedy(tiny, "The film is", 3)[0]
    assert len(log(base_url, name)["bodies"]) == 3


def test_a_server_that_asks_for_time_gets_it(base_url):
    """A server under load says how long it wants to be left alone."""
    name = "tiny?fail=1&status=429&retry_after=1"
    completions(opened(base_url, name), [text_request("The film is", max_new_tokens=1)])
    first, second = log(base_url, name)["times"]
    assert second - first >= 1


def test_delays_are_read_in_seconds_and_as_dates():
    """The header has both forms (RFC 9110, section 10.2.3)."""
    assert asked_delay_s("3") == 3
    assert asked_delay_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert 3000 < asked_delay_s(time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))) <= 3600
    assert [asked_delay_s(other) for other in (None, "", "soon", "-1", "nan")] == [0] * 5


def test_lasting_trouble_is_told_in_the_servers_words(base_url):
    """After the last try, what the server said is what a person needs."""
    told = failure(opened(base_url, "tiny?fail=9&id=lasting", max_retries=2), text_request("a"))
    assert told == f"example '1' (a.jsonl:1): {base_url}/completions answered 500 (tried 3 times): try again later"


def test_a_mistake_in_the_request_is_not_sent_again(base_url):
    """A model that does not exist will not exist a second later."""
    told = failure(opened(base_url, "gpt-9"), text_request("a"))
    assert told == (f"example '1' (a.jsonl:1): {base_url}/completions answered 404: The model `gpt-9` does not exist.")
    assert len(log(base_url, "gpt-9")["bodies"]) == 1


def test_a_wrong_address_is_told_as_it_is(base_url):
    """The commonest mistake is to leave out /v1."""
    address = base_url.removesuffix("/v1")
    told = failure(opened(address), text_request("a"))
    assert told == f"example '1' (a.jsonl:1): {address}/completions answered 404: Not Found"


def test_nobody_there_is_told_with_the_address(base_url):
    """The server was not started, or listens elsewhere."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    told = failure(opened(f"http://127.0.0.1:{port}/v1", max_retries=1), text_request("a"), text_request("b"))
    assert told == f"no answer from http://127.0.0.1:{port}/v1/completions: connection refused (tried 2 times)"


def test_a_server_that_always_hangs_up_is_told(base_url):
    """Half an answer is no answer."""
    told = failure(opened(base_url, "tiny?hang_up=9", max_retries=0), text_request("a"))
    assert told == f"no answer from {base_url}/completions: it hung up in the middle of its answer"


def test_silence_has_a_limit(base_url):
    """A server that hangs must not hang the run."""
    told = failure(opened(base_url, "tiny?delay_s=1&id=silent", timeout_s=0.1, max_retries=1), text_request("a"))
    assert told == f"no answer from {base_url}/completions: timed out (tried 2 times)"


@pytest.mark.parametrize(
    ("name", "shown"), [("tiny?garbage=1", "'<html> welcome </html>'"), ("tiny?odd=1", "'{\"choices\": []}'")]
)
def test_an_answer_that_is_none_is_shown(base_url, name, shown):
    """A proxy's login page is no completion."""
    told = failure(opened(base_url, name), text_request("a"))
    assert told == f"example '1' (a.jsonl:1): {base_url}/completions answered with no completion: {shown}"


def test_a_completion_that_was_filtered_is_not_taken_for_whole(base_url):
    """What the server cut for reasons of its own is neither the model's end nor its limit."""
    told = failure(opened(base_url, "tiny?finish_reason=content_filter"), text_request("a", max_new_tokens=1))
    assert told == (
        f"example '1' (a.jsonl:1): {base_url}/completions ended the completion with finish_reason 'content_filter'; "
        "known: length, stop"
    )


def test_a_failure_loses_nothing_that_was_on_its_way(base_url):
    """What the server has computed, and been paid for, is kept."""
    name = "tiny?bad=bad&status=400&delay_s=0.2&slow=slow"
    generator = opened(base_url, name, concurrency=3)
    asked = [text_request(prompt, max_new_tokens=1) for prompt in ("bad", "slow 1", "slow 2", "slow 3", "slow 4")]
    finished: list[int] = []
    with pytest.raises(GenerationError, match="answered 400: try again later"):
        finished.extend(index for index, _ in generator.generate(asked))
    assert finished
    assert len(log(base_url, name)["bodies"]) == 1 + len(finished) < 5


def test_closing_ends_what_is_under_way(base_url):
    """Whoever stops listening waits neither for the queue nor for the server."""
    generator = opened(base_url, "tiny?delay_s=5&slow=slow", concurrency=2)
    results = generator.generate([text_request(p, max_new_tokens=1) for p in ("quick", "slow 1", "slow 2", "slow 3")])
    assert next(results)[0] == 0
    started = time.monotonic()
    results.close()
    assert_threads_end(started)


def test_ctrl_c_ends_what_is_under_way(base_url):
    """A person who stops a run gets the prompt back at once."""
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGINT))
    started = time.monotonic()
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(opened(base_url, "tiny?delay_s=5", concurrency=2).generate([text_request("a"), text_request("b")] * 2))
    assert_threads_end(started)


def test_hanging_up_reaches_a_connection_that_is_just_opening(base_url, monkeypatch):
    """There is no socket to shut yet, and the request must not be sent after all."""
    line = Line(ServerModel(base_url=base_url, name="tiny"), None, 0.01)

    def connect_late(connection, timeout_s):
        line.hang_up()
        connect(connection, timeout_s)

    monkeypatch.setattr("promptkit.generate.server_line.connect", connect_late)
    with pytest.raises(GenerationError) as caught:
        line.post({"model": "tiny", "prompt": "a"})
    assert str(caught.value) == f"no answer from {base_url}/completions: stopped"


def assert_threads_end(started):
    while any(thread.name.startswith("promptkit-server") for thread in threading.enumerate()):
        assert time.monotonic() - started < 3, "a thread still waits for the server"
        time.sleep(0.01)


def test_the_key_is_sent_and_never_shown(base_url, monkeypatch):
    """Messages end up in logs and issues; some servers quote the key that they refuse."""
    monkeypatch.setenv("TINY_KEY", "sk-very-secret\n")
    declared = ServerModel(base_url=base_url, name="tiny?quote_key=1", api_key_env="TINY_KEY")
    generator = declared.open(Loading())
    told = failure(generator, text_request("a"))
    assert told == (
        f"example '1' (a.jsonl:1): {base_url}/completions answered 401: Incorrect API key provided: Bearer ***"
    )
    assert "secret" not in f"{declared!r} {generator!r} {generator.identity}"


def test_a_completion_that_is_to_end_with_its_answer_is_refused():
    """Before anything is sent: nobody listens at this address."""
    asked = Request(label="x", prompt="x", settled=lambda _: True, until="rule")
    with pytest.raises(ModelError) as caught:
        list(opened("http://127.0.0.1:9/v1").generate([asked]))
    assert str(caught.value) == (
        "model 'tiny': a server cannot end a completion with its answer, as `generate.stop_when_answered` asks; "
        "a model on this machine can"
    )


def test_a_key_that_is_not_there_is_missed_early(base_url, monkeypatch):
    """Before any data is read, and without a word of what a broken key holds."""
    declared = ServerModel(base_url=base_url, name="tiny", api_key_env="TINY_KEY")
    monkeypatch.delenv("TINY_KEY", raising=False)
    with pytest.raises(ModelError) as caught:
        declared.open(Loading())
    assert str(caught.value) == "model 'tiny': the environment variable 'TINY_KEY' holds no key"
    monkeypatch.setenv("TINY_KEY", "sk-\u00e4")
    with pytest.raises(ModelError) as caught:
        declared.open(Loading())
    assert str(caught.value) == "model 'tiny': what 'TINY_KEY' holds is not plain ASCII, so no key"


def test_proxies_do_not_stand_between_us_and_this_machine(base_url, monkeypatch):
    """An office's proxy knows nothing of a server on loopback."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert len(completions(opened(base_url), [text_request("a", max_new_tokens=1)])) == 1


def test_the_identity_is_address_and_name(base_url):
    """A trailing slash is no other server."""
    generator = opened(base_url + "/")
    assert generator.identity == {"kind": "server", "base_url": base_url, "name": "tiny"}
    assert (generator.name, generator.tokenizer, generator.context_length) == ("tiny", None, None)


def test_work_tells_what_the_server_did(base_url, tiny):
    """Tokens that were computed are what a run costs."""
    generator = opened(base_url)
    completions(generator, [text_request("The film is", max_new_tokens=2)])
    assert generator.work.computed_prompt_tokens == len(tiny.encode("The film is"))
    assert generator.work.decode_s > 0 == generator.work.prefill_s
    completions(generator, [choice_request("The film is", " good", " bad")])
    assert generator.work.prefill_s > 0


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8000/v1", "ftp://host/v1", "http://", "http://host:port/v1", "http://host/v1?key=1", "http://a b"],
)
def test_an_address_that_is_none_is_refused(address):
    """While the file is read, not an hour later."""
    with pytest.raises(ValidationError) as caught:
        ServerModel(base_url=address, name="x")
    assert [each["msg"] for each in caught.value.errors()] == [
        f"must be an http or https address such as http://127.0.0.1:8000/v1, not {address!r}"
    ]


def test_an_address_holds_no_password():
    """It would be shown, and kept in the store."""
    with pytest.raises(ValidationError) as caught:
        ServerModel(base_url="https://user:secret@host/v1", name="x")
    assert [each["msg"] for each in caught.value.errors()] == [
        "must hold no key or password: `api_key_env` names where the key is"
    ]

"""The supervisor's decisions, without starting anything."""

import io
import socket
import threading
from pathlib import Path

import pytest

from dashboard.processes import heartbeat, layout, ports
from dashboard.processes.banner import banner
from dashboard.processes.child import Backoff
from dashboard.processes.choices import choose, environment
from dashboard.processes.console import Console
from dashboard.processes.errors import CannotStart

VAR = Path("/srv/floor/var")


# ---- what to run -------------------------------------------------------------------------------------


def test_with_nothing_set_it_runs_the_simulator_and_its_own_broker():
    choices = choose({}, VAR)
    assert (choices.address, choices.simulator, choices.embedded_broker) == (
        "http://127.0.0.1:8000",
        True,
        True,
    )
    assert choices.redis_url == "unix:///srv/floor/var/run/valkey.sock?db=0"


def test_empty_counts_as_not_set():
    assert choose({"PORT": "", "REDIS_URL": " ", "BROWSER_USE_API_KEY": ""}, VAR) == choose({}, VAR)


def test_with_a_key_there_is_no_simulator():
    choices = choose({"BROWSER_USE_API_KEY": "bu_1"}, VAR)
    assert not choices.simulator
    assert "BROWSER_USE_BASE_URL" not in environment(choices, None)


def test_children_are_pointed_at_the_simulator():
    environ = environment(choose({}, VAR), 8001)
    assert environ["BROWSER_USE_BASE_URL"] == "http://127.0.0.1:8001/api/v3"
    assert environ["BROWSER_USE_API_KEY"] == "bu_simulator"
    assert environ["WATCHFLOOR_SIMULATOR"] == "1"


def test_the_simulator_can_be_tuned():
    choices = choose({"WATCHFLOOR_SIMULATOR_SESSIONS": "500", "WATCHFLOOR_SIMULATOR_SPEED": "10"}, VAR)
    assert choices.simulator_flags == ("--sessions", "500", "--speed", "10")


def test_a_base_url_without_a_key_is_refused():
    with pytest.raises(CannotStart, match="BROWSER_USE_API_KEY is not"):
        choose({"BROWSER_USE_BASE_URL": "http://127.0.0.1:9/api/v3"}, VAR)


@pytest.mark.parametrize("port", ["abc", "0", "-1", "65536", "80 80", "٨٠"])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(CannotStart, match="PORT must be a number"):
        choose({"PORT": port}, VAR)


def test_a_broker_that_is_named_is_used():
    choices = choose({"REDIS_URL": "redis://broker:6379/3"}, VAR)
    assert (choices.redis_url, choices.embedded_broker) == ("redis://broker:6379/3", False)


# ---- where things lie --------------------------------------------------------------------------------


@pytest.mark.parametrize("directory", ["/" + "deep/" * 30, "/srv/two words", "/srv/100%", "/srv/ü"])
def test_a_socket_path_that_is_too_long_or_needs_quoting_lies_elsewhere(directory):
    path = layout.socket_path(Path(directory))
    assert len(str(path)) < layout.LONGEST_SOCKET_PATH
    assert layout.PLAIN_PATH.fullmatch(str(path))
    assert path == layout.socket_path(Path(directory)), "always the same"
    assert path != layout.socket_path(Path(directory + "x"))


def test_directories_are_private(tmp_path):
    assert layout.private_dir(tmp_path / "a" / "run").stat().st_mode & 0o777 == 0o700


def test_a_directory_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(CannotStart):
        layout.private_dir(tmp_path / "link")


def test_only_one_at_a_time(tmp_path):
    held = layout.only_one(tmp_path, "process 7")
    with (
        held,
        pytest.raises(CannotStart, match="in use by process 7"),
        layout.only_one(tmp_path, "process 8"),
    ):
        pass
    with layout.only_one(tmp_path, "process 9"):
        pass


# ---- ports -------------------------------------------------------------------------------------------


def test_a_taken_port_is_said_so_in_one_line():
    with ports.listen("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"^Port {port} is taken .* PORT=\d+ make run$"):
            ports.listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_said_so():
    with pytest.raises(CannotStart, match="Set HOST and PORT"):
        ports.listen("192.0.2.1", 8000)


def test_a_free_port_is_the_wished_one_if_it_is_free():
    free = ports.free_port(0)
    assert ports.free_port(free) == free
    with socket.create_server(("127.0.0.1", free)):
        assert ports.free_port(free) != free


# ---- restarts ----------------------------------------------------------------------------------------


def test_pauses_grow_and_start_over_after_a_healthy_minute():
    backoff = Backoff()
    assert [backoff.pause_s(0.1) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]
    assert backoff.pause_s(61) == 1
    assert backoff.pause_s(1) == 2


OLD = heartbeat.WEDGED_AFTER_S + 1


@pytest.mark.parametrize(
    ("ages", "depths", "suspects"),
    [
        ({"poll": 3, "default": 4}, {}, set()),
        ({"poll": None, "default": None}, {"poll": 9}, set()),
        ({"poll": OLD, "default": 2}, {"poll": 20}, {"poller"}),
        ({"poll": OLD, "default": 2}, {"poll": 0}, {"poller"}),
        ({"poll": 2, "default": OLD}, {}, {"worker"}),
        ({"poll": OLD, "default": OLD}, {"poll": 0, "default": 0}, {"beat"}),
        ({"poll": OLD, "default": OLD}, {"poll": 7, "default": 7}, {"poller", "worker"}),
    ],
)
def test_who_is_wedged(ages, depths, suspects):
    assert heartbeat.wedged(ages, depths) == suspects


# ---- what people see ---------------------------------------------------------------------------------


def test_the_banner_says_where_how_and_what(tmp_path):
    with (tmp_path / "out").open("w") as out:
        console = Console(out)
        text = banner(console, choose({}, VAR), ["as ada, password in the environment"], 1.23)
        console.close()
    for expected in (
        "http://127.0.0.1:8000/",
        "as ada",
        str(VAR),
        "simulator",
        "BROWSER_USE_API_KEY=",
        "Ctrl-C",
    ):
        assert expected in text
    assert "\033" not in text, "no colour where there is no terminal"


def test_a_reader_that_does_not_read_stalls_nobody():
    reads = threading.Event()

    class Stuck(io.StringIO):
        def write(self, text: str) -> int:
            reads.wait()
            return super().write(text)

    console = Console(Stuck())
    for number in range(10_000):
        console.line("web", f"line {number}")
    console.close(wait_s=0.05)
    assert console._dropped
    reads.set()


def test_lines_carry_who_said_them(tmp_path):
    with (tmp_path / "out").open("w") as out:
        console = Console(out)
        console.line("beat", "hello")
        console.close()
    assert (tmp_path / "out").read_text().rstrip().endswith(" beat      hello")

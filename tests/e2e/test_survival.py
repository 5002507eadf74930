"""The service survives a broken configuration file, dead workers and a killed parent."""

import os
import signal
import socket
import time
import urllib.request

import pytest

from tests.e2e import processes
from tests.e2e.service import Running, Service, free_port
from tests.feedserver import FeedServer

BROKEN = "site: {title: 5\nsources: [{id: a, url: nowhere}]\n"


def start(service: Service, server: FeedServer, *command: str) -> tuple[Running, str]:
    """Start a service titled "Before", and return it with the address of its front page."""
    port = free_port()
    configure(service, server, "Before")
    running = service.start(*command, "--port", str(port))
    base = f"http://127.0.0.1:{port}/"
    service.wait(lambda: title(base) == "Before")
    return running, base


def configure(service: Service, server: FeedServer, site_title: str) -> None:
    server.reply("/feed", 404)
    source = {"id": "loop", "url": server.url("/feed"), "every": "1h"}
    service.configure([source], site={"title": site_title})


def title(address: str) -> str:
    """Return the title of the front page."""
    with urllib.request.urlopen(address, timeout=10) as response:
        text = response.read().decode()
    return str(text.partition("<title>")[2].partition("</title>")[0])


def workers(running: Running) -> set[int]:
    """Return the worker processes of the web server, which `run` starts as a child."""
    living = processes.of_session(running.pid)
    # With setproctitle installed, granian names its processes; without, they show the command.
    servers = [p for p in living if " web " in p.command or "granian" in p.command]
    if not servers:
        return set()
    server = min(servers, key=lambda p: p.pid != running.pid and p.parent != running.pid).pid
    return {p.pid for p in living if p.parent == server and "resource_tracker" not in p.command}


def kill_workers(service: Service, running: Running) -> None:
    """Kill the workers, and wait for others."""
    before = workers(running)
    assert before
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    service.wait(lambda: workers(running) - before)


def test_new_workers_start_with_the_last_valid_configuration(
    service: Service, feed_server: FeedServer
) -> None:
    running, base = start(service, feed_server, "run")
    configure(service, feed_server, "Changed")
    service.wait(lambda: title(base) == "Changed")
    service.config.write_text(BROKEN)
    kill_workers(service, running)
    service.wait(lambda: title(base) == "Changed")
    running.send_to_all(signal.SIGHUP)
    service.wait(lambda: "event=config_refused" in running.log)
    service.wait(lambda: title(base) == "Changed")
    assert running.alive

    configure(service, feed_server, "After")
    service.wait(lambda: title(base) == "After")
    running.send(signal.SIGTERM)
    assert running.wait() == 0


def test_the_web_server_alone_survives_a_broken_file(
    service: Service, feed_server: FeedServer
) -> None:
    running, base = start(service, feed_server, "web", "--workers", "2")
    service.config.write_text(BROKEN)
    kill_workers(service, running)
    service.wait(lambda: title(base) == "Before")
    running.send(signal.SIGHUP)
    service.wait(lambda: title(base) == "Before")
    assert running.alive


def server_of(running: Running) -> int:
    """Return the web server that `run` starts, the parent of the workers."""
    worker = min(workers(running))
    return next(p.parent for p in processes.of_session(running.pid) if p.pid == worker)


def test_sighup_reloads_scheduler_and_web_server(service: Service, feed_server: FeedServer) -> None:
    running, base = start(service, feed_server, "run")
    before = workers(running)
    configure(service, feed_server, "Changed")
    running.send(signal.SIGHUP)
    service.wait(lambda: "event=config_loaded" in running.log)
    service.wait(lambda: workers(running) and not workers(running) & before)
    service.wait(lambda: title(base) == "Changed")
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    assert "event=web_server_lost" not in running.log


def test_a_reload_renames_a_source(service: Service, feed_server: FeedServer) -> None:
    running, base = start(service, feed_server, "run")
    service.wait(service.polled)
    source = {"id": "ring", "url": feed_server.url("/feed"), "every": "1h"}
    service.configure([source], site={"title": "Before"})
    running.send(signal.SIGHUP)
    service.wait(lambda: "moved=0 renamed=1" in running.log)
    assert service.rows("select id, polls from sources") == [("ring", 1)]
    with urllib.request.urlopen(f"{base}source/loop", timeout=10) as response:
        assert response.url == f"{base}source/ring"


def test_sighup_during_the_start_of_the_web_server_does_not_end_it(
    service: Service, feed_server: FeedServer
) -> None:
    configure(service, feed_server, "Before")
    port = free_port()
    running = service.start("run", "--port", str(port))
    service.wait(lambda: "Press Ctrl-C to stop" in running.log)
    server = next(p.pid for p in processes.of_session(running.pid) if " web " in p.command)
    for _ in range(10):
        os.kill(server, signal.SIGHUP)
        time.sleep(0.1)
    service.wait(lambda: title(f"http://127.0.0.1:{port}/") == "Before")
    assert server_of(running) == server
    assert "event=web_server_lost" not in running.log


def test_a_web_server_that_is_killed_starts_again(
    service: Service, feed_server: FeedServer
) -> None:
    running, base = start(service, feed_server, "run")
    lost = server_of(running)
    service.config.write_text(BROKEN)  # the last valid file then counts
    os.kill(lost, signal.SIGKILL)
    service.wait(lambda: "event=web_server_lost code=-9 restart_seconds=2" in running.log)
    service.wait(lambda: lost not in {p.pid for p in processes.of_session(running.pid)})
    service.wait(lambda: workers(running) and server_of(running) != lost)
    service.wait(lambda: title(base) == "Before")
    running.send(signal.SIGTERM)
    assert running.wait() == 0


@pytest.mark.parametrize("command", ["run", "web"])
def test_workers_that_die_again_and_again_come_back(
    service: Service, feed_server: FeedServer, command: str
) -> None:
    running, base = start(service, feed_server, command)
    kill_workers(service, running)
    for pid in workers(running):
        os.kill(pid, signal.SIGKILL)
    service.wait(lambda: "event=web_workers_lost restart_seconds=2" in running.log)
    service.wait(lambda: title(base) == "Before")
    running.send(signal.SIGTERM)
    assert running.wait() == 0


def test_a_web_server_that_waits_to_restart_its_workers_can_be_stopped(
    service: Service, feed_server: FeedServer
) -> None:
    running, _ = start(service, feed_server, "web")
    kill_workers(service, running)
    for pid in workers(running):
        os.kill(pid, signal.SIGKILL)
    service.wait(lambda: "event=web_workers_lost" in running.log)
    running.send(signal.SIGHUP)
    running.send(signal.SIGTERM)
    assert running.wait() == 0


def test_a_start_with_a_broken_file_names_the_mistakes(
    service: Service, feed_server: FeedServer
) -> None:
    running, _ = start(service, feed_server, "run")
    running.send(signal.SIGTERM)
    assert running.wait() == 0
    service.config.write_text(BROKEN)
    for command in ("run", "web", "scheduler"):
        refused = service.run(command)
        assert refused.returncode == 2
        assert f"{service.config}:1:7: the mapping is not closed" in refused.stdout


def test_the_copy_of_the_configuration_is_private(
    service: Service, feed_server: FeedServer
) -> None:
    start(service, feed_server, "web")
    copy = service.database.with_name("news.db.config")
    assert copy.read_text() == service.config.read_text()
    assert copy.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("command", ["run", "web"])
def test_no_process_holds_the_port_after_a_kill(
    service: Service, feed_server: FeedServer, command: str
) -> None:
    running, base = start(service, feed_server, command)
    port = int(base.rstrip("/").rpartition(":")[2])
    os.kill(running.pid, signal.SIGKILL)
    running.process.wait()

    def is_free() -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
        return True

    service.wait(is_free, seconds=2)
    service.wait(lambda: not processes.of_session(running.pid))


def test_several_workers_count_requests_together(service: Service, feed_server: FeedServer) -> None:
    _, base = start(service, feed_server, "web", "--workers", "2")
    name = 'aggregator_http_requests_total{route="/healthz",status="200"} '

    def counted() -> float:
        with urllib.request.urlopen(f"{base}metrics", timeout=10) as response:
            return float(response.read().decode().partition(name)[2].partition("\n")[0] or 0)

    for _ in range(20):
        urllib.request.urlopen(f"{base}healthz", timeout=10).close()
    assert [counted() for _ in range(10)] == [20.0] * 10

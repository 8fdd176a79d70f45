"""By which names a server may be asked."""

from __future__ import annotations

import socket

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from websockets.sync.client import connect

from tests.servers import Viewer, running_server


@pytest.fixture(scope="module")
def local():
    """Bound to this machine, with nothing said about names."""
    with running_server(server={"allowed_hosts": []}) as server:
        yield server


@pytest.fixture(scope="module")
def named():
    with running_server(server={"allowed_hosts": ["a.example"]}) as server:
        yield server


@pytest.mark.parametrize("path", ["", "static/wsstream.js", "api/agents", "healthz"])
def test_a_server_of_this_machine_does_not_answer_to_a_name_of_somebody_elses(local, path):
    answer = local.get(path, Host="evil.example")
    assert answer.status == 403
    assert "'evil.example'" in answer.body.decode()
    assert "server.allowed_hosts" in answer.body.decode()
    assert local.get(path, Host="localhost").status == 200
    assert local.get(path).status == 200


def test_nor_does_its_socket(local):
    rebound = socket.create_connection(("127.0.0.1", local.port))
    url, origin = "ws://evil.example/ws/facetime/ada", "http://evil.example"
    with connect(url, sock=rebound, origin=origin, close_timeout=1) as connection:
        viewer = Viewer(connection)
        code, reason = viewer.closed()
    assert code == 4403
    assert "server.allowed_hosts" in reason
    assert [message["type"] for message in viewer.messages] == ["error", "bye"]
    assert viewer.frames == []


def test_a_server_answers_to_the_names_that_it_was_given(named):
    assert named.get("healthz", Host="a.example:443").status == 200
    assert named.get("healthz", Host="localhost").status == 403
    assert named.get("healthz").status == 200  # by its address


def test_mounted_in_another_application_it_answers_to_any_name_unless_told_otherwise():
    def wrap(app):
        return Starlette(routes=[Mount("/avatar", app)])

    for hosts, status in (([], 200), (["a.example"], 403)):
        with running_server(server={"allowed_hosts": hosts}, wrap=wrap) as server:
            assert server.get("avatar/healthz", Host="evil.example").status == status

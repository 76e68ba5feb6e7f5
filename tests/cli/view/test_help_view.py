"""What the keys do."""

from __future__ import annotations

from ticks.cli.view.frame import Frame, width_of
from ticks.cli.view.help_view import help_lines
from ticks.cli.view.key_bindings import Scene, bindings_of


def words(scene: Scene, width: int = 80, height: int = 30) -> list[str]:
    return Frame(tuple(help_lines(width, height, scene))).plain()


def test_every_key_that_does_something_is_explained() -> None:
    for scene in (Scene.STREAM, Scene.REPLAY, Scene.STREAM | Scene.CHAIN):
        shown = words(scene)
        for binding in bindings_of(scene):
            assert any(line.startswith(binding.shown) and binding.help in line for line in shown)


def test_how_the_screen_is_read_is_said_where_there_is_room() -> None:
    assert any("verdict" in line for line in words(Scene.STREAM))
    assert not any("verdict" in line for line in words(Scene.STREAM, height=11))


def test_it_fits() -> None:
    for width, height in ((20, 5), (40, 3), (80, 0)):
        lines = help_lines(width, height, Scene.STREAM)
        assert len(lines) <= height
        assert all(width_of(line) <= width for line in lines)

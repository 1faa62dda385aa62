"""The command that serves a student over HTTP."""

from __future__ import annotations

from typing import Annotated

import typer

from kd_core.cli.carrying import DONE, guarded


def serve(
    model: Annotated[
        str, typer.Argument(help="A bundle (.zip), a run's id or folder, or a student's file (.onnx, .onnx.xz).")
    ],
    student: Annotated[
        str | None,
        typer.Option(help="Of a run: a student, or a model without a teacher; the best student when left out."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's own need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes any free one.")] = 8900,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="KD_SERVE_TOKEN",
            show_envvar=True,
            help="What callers must know; better given by the environment, as other users see the command line.",
        ),
    ] = None,
) -> None:
    """Answer rows over HTTP: POST /predict, GET /health, GET /openapi.json, and a page at / that says how."""

    def work() -> int:
        from kd_core.serving.guard import checked_token
        from kd_core.serving.served import open_served
        from kd_core.serving.server import serve as answer

        checked_token(host, token)  # before a large model is opened
        served = open_served(model, student)

        def announce(address: str) -> None:
            typer.echo(f"{served.name} predicts {served.purpose.target}: {address}  (stop with Ctrl-C)")

        answer(served, host, port, token, announce)
        return DONE

    guarded(work)

"""The peer: a Dash page of 100 counters that asks once a second. `python -m bench.polling PORT`."""

import sys

import uvicorn
from dash import Dash, Input, Output, dcc, html
from fastapi import FastAPI, Request

COUNTERS = 100


def create_app() -> FastAPI:
    server = FastAPI()
    counts = [0] * COUNTERS

    @server.post("/add")
    async def add(request: Request) -> dict[str, bool]:
        for n, value in enumerate(await request.json()):
            counts[n] = value
        return {"ok": True}

    app = Dash("bench.polling", server=server)
    counters = [html.Span(id=f"c{n}", **{"data-code": str(n)}) for n in range(COUNTERS)]
    app.layout = html.Div([dcc.Interval(id="every", interval=1000), html.Div(counters, id="counters")])

    @app.callback([Output(f"c{n}", "children") for n in range(COUNTERS)], Input("every", "n_intervals"))
    def show(_: int) -> list[str]:
        return [str(n) for n in counts]

    return server


if __name__ == "__main__":
    uvicorn.run(create_app(), host="127.0.0.1", port=int(sys.argv[1]), log_level="error")

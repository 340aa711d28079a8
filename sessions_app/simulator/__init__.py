"""A stand-in for Browser Use Cloud: the v3 contract over real HTTP, with a floor of agents that work, idle, stall and burn.

    world.py     what exists and how time moves it      (life, casting, genesis, model, dice, prices)
    scenes.py    what the agents are doing               (scripts, conform, conversation)
    wire.py      the world as v3 JSON                    (signing)
    server.py    plain ASGI over uvicorn                 (routes, calls_*, checks, rooms, control, faults, transport)
    pictures.py  the pages that the agents look at       (canvas, layouts, page_*, liveview, video)
    state.py     save and restore;   testing.py  the same server inside a test

It imports nothing of the rest of the project, neither Django nor Celery: it could be a project of its own.
"""

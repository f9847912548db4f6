"""The chat over HTTP."""

from agents import Runner
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from support_agent.agent import support_agent

app = FastAPI(title="Help chat")


class Message(BaseModel):
    text: str


@app.post("/chat")
async def chat(message: Message) -> StreamingResponse:
    run = Runner.run_streamed(support_agent, message.text)

    async def words():
        async for event in run.stream_events():
            if event.type == "raw_response_event" and getattr(event.data, "delta", None):
                yield event.data.delta

    return StreamingResponse(words(), media_type="text/plain")

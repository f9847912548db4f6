"""Answers questions about holidays and sick leave in the staff chat."""

import os

import anthropic
import chromadb
from slack_bolt import App

MODEL = os.environ.get("HR_MODEL", "claude-haiku-4-5")

claude = anthropic.Anthropic()
handbook = chromadb.HttpClient(host="chroma", port=8000).get_or_create_collection("handbook")
app = App(token=os.environ["SLACK_BOT_TOKEN"])

SYSTEM = "You help the people of Fennel & Rye with questions about holidays, sick leave and pay. Quote the handbook."


@app.event("app_mention")
def answer(event: dict, say) -> None:
    found = handbook.query(query_texts=[event["text"]], n_results=4)
    pages = "\n\n".join(found["documents"][0])
    reply = claude.messages.create(
        model=MODEL,
        max_tokens=600,
        system=SYSTEM,
        messages=[{"role": "user", "content": f"{pages}\n\nQuestion: {event['text']}"}],
    )
    say(reply.content[0].text)

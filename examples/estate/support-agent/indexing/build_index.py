"""Put last year's tickets into the search index; runs every night."""

import json
from pathlib import Path

from qdrant_client import QdrantClient
from qdrant_client.models import Distance, PointStruct, VectorParams
from sentence_transformers import SentenceTransformer

from support_agent.settings import settings

TICKETS = Path("data/tickets.jsonl")


def main() -> None:
    encoder = SentenceTransformer("BAAI/bge-m3")
    client = QdrantClient(url=settings.qdrant_url)
    client.recreate_collection(
        collection_name=settings.ticket_collection,
        vectors_config=VectorParams(size=1024, distance=Distance.COSINE),
    )
    with TICKETS.open(encoding="utf-8") as lines:
        tickets = [json.loads(line) for line in lines]
    vectors = encoder.encode([ticket["text"] for ticket in tickets])
    client.upsert(
        collection_name=settings.ticket_collection,
        points=[
            PointStruct(id=ticket["ticket"], vector=vector.tolist(), payload=ticket)
            for ticket, vector in zip(tickets, vectors)
        ],
    )


if __name__ == "__main__":
    main()

"""Where things are; every value can be set from the environment."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    llm_base_url: str = "http://support-llm.ml.svc.cluster.local:8000/v1"
    llm_model: str = "support-llm"
    qdrant_url: str = "http://qdrant.data.svc.cluster.local:6333"
    ticket_collection: str = "tickets"
    orders_url: str = "http://orders.shop.svc.cluster.local"


settings = Settings()

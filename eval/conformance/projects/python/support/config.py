from enum import Enum

from pydantic_settings import BaseSettings

SHARED_MODEL = "gpt-5"


class Model(str, Enum):
    ROUTER = "gpt-4.1"


class Settings(BaseSettings):
    summary_model: str = "gpt-4.1-mini"


settings = Settings()

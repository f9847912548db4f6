package shop.config

const val SHARED_MODEL = "gpt-5"

data class Settings(val summaryModel: String = "gpt-4.1-mini")

from openai import OpenAI

local = OpenAI(base_url="http://llm.internal:8000/v1", api_key="unused")
local.chat.completions.create(model="llama-3.3-70b-instruct", messages=[{"role": "user", "content": "hi"}])

import OpenAI from "openai";

const local = new OpenAI({ baseURL: "http://llm.internal:8000/v1", apiKey: "unused" });

export const answer = local.chat.completions.create({
  model: "llama-3.3-70b-instruct",
  messages: [{ role: "user", content: "hi" }],
});

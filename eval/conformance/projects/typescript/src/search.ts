import { Chroma } from "@langchain/community/vectorstores/chroma";
import { OpenAIEmbeddings } from "@langchain/openai";

export const store = new Chroma(new OpenAIEmbeddings({ model: "text-embedding-3-small" }), {
  collectionName: "manuals",
});

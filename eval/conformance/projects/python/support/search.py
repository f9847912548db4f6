from langchain_chroma import Chroma
from langchain_openai import OpenAIEmbeddings

store = Chroma(collection_name="manuals", embedding_function=OpenAIEmbeddings(model="text-embedding-3-small"))

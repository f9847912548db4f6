package support

import (
	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms/openai"
	"github.com/tmc/langchaingo/vectorstores/chroma"
)

func store() (chroma.Store, error) {
	llm, err := openai.New(openai.WithEmbeddingModel("text-embedding-3-small"))
	if err != nil {
		return chroma.Store{}, err
	}
	embedder, err := embeddings.NewEmbedder(llm)
	if err != nil {
		return chroma.Store{}, err
	}
	return chroma.New(chroma.WithNameSpace("manuals"), chroma.WithEmbedder(embedder))
}

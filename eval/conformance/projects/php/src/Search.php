<?php

declare(strict_types=1);

namespace Shop\Support;

use LLPhant\Chat\OpenAIChat;
use LLPhant\Embeddings\EmbeddingGenerator\OpenAI\OpenAI3SmallEmbeddingGenerator;
use LLPhant\Embeddings\VectorStores\ChromaDB\ChromaDBVectorStore;
use LLPhant\Query\SemanticSearch\QuestionAnswering;

final class Search
{
    public function answers(): QuestionAnswering
    {
        $store = new ChromaDBVectorStore(collectionName: 'manuals');
        $embeddings = new OpenAI3SmallEmbeddingGenerator();

        return new QuestionAnswering($store, $embeddings, new OpenAIChat());
    }
}

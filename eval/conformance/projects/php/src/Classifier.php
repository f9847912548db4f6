<?php

declare(strict_types=1);

namespace Shop\Support;

use OpenAI\Contracts\ClientContract;
use OpenAI\Responses\Responses\CreateResponse;

final class Classifier
{
    private string $model;

    public function __construct(private readonly ClientContract $client)
    {
        $this->model = 'gpt-5-mini';
    }

    public function classify(string $text): CreateResponse
    {
        return $this->client->responses()->create(['model' => $this->model, 'input' => $text]);
    }
}

<?php

declare(strict_types=1);

namespace Shop\Support;

use OpenAI;
use OpenAI\Responses\Chat\CreateResponse;

final class Local
{
    public function answer(): CreateResponse
    {
        $local = OpenAI::factory()
            ->withBaseUri('http://llm.internal:8000/v1')
            ->withApiKey('unused')
            ->make();

        return $local->chat()->create([
            'model' => 'llama-3.3-70b-instruct',
            'messages' => [['role' => 'user', 'content' => 'hi']],
        ]);
    }
}

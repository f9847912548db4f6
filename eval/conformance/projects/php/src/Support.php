<?php

declare(strict_types=1);

namespace Shop\Support;

use GuzzleHttp\Client;
use NeuronAI\Agent;
use NeuronAI\Providers\AIProviderInterface;
use NeuronAI\Providers\OpenAI\OpenAI;
use NeuronAI\Tools\PropertyType;
use NeuronAI\Tools\Tool;
use NeuronAI\Tools\ToolProperty;

final class Support extends Agent
{
    public function instructions(): string
    {
        return Prompts::SUPPORT;
    }

    protected function provider(): AIProviderInterface
    {
        return new OpenAI(key: getenv('OPENAI_API_KEY'), model: 'gpt-4o');
    }

    protected function tools(): array
    {
        return [
            Tool::make('lookup_order', 'Look up an order.')
                ->addProperty(new ToolProperty('id', PropertyType::STRING, 'Number of the order', true))
                ->setCallable(fn (string $id): string => (new Client())->get("https://orders.internal/v1/$id")->getBody()),
            Tool::make('refund_order', 'Refund an order.')
                ->addProperty(new ToolProperty('id', PropertyType::STRING, 'Number of the order', true))
                ->setCallable(function (string $id): string {
                    file_put_contents('refunds.txt', $id, FILE_APPEND);

                    return $id;
                }),
        ];
    }
}

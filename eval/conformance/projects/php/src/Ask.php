<?php

declare(strict_types=1);

namespace Shop\Support;

use Anthropic\Client as Claude;
use OpenAI\Client;
use OpenAI\Responses\Responses\CreateResponse;

final class Ask
{
    private const MODEL = 'gpt-4o';
    private const FAMILY = 'sonnet';
    private const MODELS = ['cheap' => 'gpt-3.5-turbo'];

    public function __construct(
        private readonly Client $client,
        private readonly Claude $claude,
        private readonly Settings $settings = new Settings(),
    ) {
    }

    public function constant(string $question): CreateResponse
    {
        return $this->client->responses()->create(['model' => self::MODEL, 'input' => $question]);
    }

    public function concatenation(string $question): CreateResponse
    {
        return $this->client->responses()->create(['model' => self::MODEL . '-mini', 'input' => $question]);
    }

    public function template(string $question): object
    {
        $family = self::FAMILY;

        return $this->claude->messages->create(
            maxTokens: 100,
            messages: [['role' => 'user', 'content' => $question]],
            model: "claude-{$family}-4-5",
        );
    }

    public function enumerated(string $question): CreateResponse
    {
        return $this->client->responses()->create(['model' => Model::Router->value, 'input' => $question]);
    }

    public function configured(string $question): CreateResponse
    {
        return $this->client->responses()->create(['model' => $this->settings->summaryModel, 'input' => $question]);
    }

    public function fromEnvironment(string $question): CreateResponse
    {
        $model = getenv('TRIAGE_MODEL') ?: 'gpt-4.1-nano';

        return $this->client->responses()->create(['model' => $model, 'input' => $question]);
    }

    public function fromFile(string $question): CreateResponse
    {
        return $this->client->responses()->create(['model' => $_ENV['SUPPORT_MODEL'], 'input' => $question]);
    }

    public function fromCompose(string $question): CreateResponse
    {
        return $this->client->responses()->create(['model' => getenv('REASONING_MODEL'), 'input' => $question]);
    }

    public function imported(string $question): CreateResponse
    {
        return $this->client->responses()->create(['model' => Config::SHARED_MODEL, 'input' => $question]);
    }

    public function defaulted(string $question, string $model = 'gpt-5-nano'): CreateResponse
    {
        return $this->client->responses()->create(['model' => $model, 'input' => $question]);
    }

    public function caller(): CreateResponse
    {
        return $this->passed('hello', 'gpt-4-turbo');
    }

    public function chosen(string $question): CreateResponse
    {
        return $this->client->responses()->create(['model' => self::MODELS['cheap'], 'input' => $question]);
    }

    // return $this->client->responses()->create(['model' => 'gpt-4-32k', 'input' => $question]);

    private function passed(string $question, string $model): CreateResponse
    {
        return $this->client->responses()->create(['model' => $model, 'input' => $question]);
    }
}

<?php

declare(strict_types=1);

namespace Shop\Support\Estate;

/** Somebody who sells houses. */
final class Agent
{
    public function __construct(private string $name, private string $model)
    {
    }

    public static function decoy(): self
    {
        return new self(name: 'decoy', model: 'decoy-model');
    }
}

$decoy = new Agent(name: 'decoy', model: 'decoy-model');

<?php

declare(strict_types=1);

namespace Shop\Support;

final class Settings
{
    public function __construct(public readonly string $summaryModel = 'gpt-4.1-mini')
    {
    }
}

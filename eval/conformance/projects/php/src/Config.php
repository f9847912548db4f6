<?php

declare(strict_types=1);

namespace Shop\Support;

final class Config
{
    public const SHARED_MODEL = 'gpt-5';
}

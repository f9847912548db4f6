<?php

declare(strict_types=1);

namespace Shop\Support;

enum Model: string
{
    case Router = 'gpt-4.1';
}

<?php

declare(strict_types=1);

namespace Shop\Support;

final class Prompts
{
    public const SUPPORT = 'You help customers of the shop with their orders. Be brief, and never promise a refund.';
}

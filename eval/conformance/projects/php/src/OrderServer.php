<?php

declare(strict_types=1);

namespace Shop\Support;

use Mcp\Capability\Attribute\McpTool;
use Mcp\Server;
use Mcp\Server\Transport\StdioTransport;

final class OrderServer
{
    /** Status of an order. */
    #[McpTool(name: 'order_status')]
    public function orderStatus(string $id): string
    {
        return $id;
    }

    public static function serve(): void
    {
        $server = Server::builder()
            ->setServerInfo('orders', '1.0.0')
            ->setDiscovery(__DIR__, ['.'])
            ->build();
        $server->run(new StdioTransport());
    }
}

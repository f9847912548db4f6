using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Shop.Support;

var builder = Host.CreateApplicationBuilder(args);
builder.Services
    .AddMcpServer(options => options.ServerInfo = new() { Name = "orders", Version = "1.0.0" })
    .WithStdioServerTransport()
    .WithTools<OrderTools>();

await builder.Build().RunAsync();

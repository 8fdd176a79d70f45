"""What every measurement and every browser test stands on: servers, browsers, CPU accounts."""

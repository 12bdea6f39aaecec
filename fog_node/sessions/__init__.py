"""What people ask of the node's containers through the control stream: logs, commands, usage."""

"""What runs replicas of operators, and services: the interface, and who implements it."""

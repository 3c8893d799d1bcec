"""`cnncli runs`: what trainings came to, and the picture that each leaves."""

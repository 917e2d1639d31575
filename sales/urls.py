from rest_framework.routers import SimpleRouter

from sales.api import ConversationViewSet, LeadViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/v1/leads", LeadViewSet, basename="lead")
router.register("api/v1/conversations", ConversationViewSet, basename="conversation")
urlpatterns = router.urls
